import { componentsIn, textsIn } from "../../custody/body-fields.ts";
import type { Quarantine } from "../../custody/quarantines.ts";
import type { IdentityRecord } from "../../db/identities.ts";
import type { DecisionInput } from "../../decisions/decide.ts";
import { parseSpiffeId, pathOf } from "../../identity/spiffe-id.ts";
import type { JsonObject } from "../../in-toto-attestation/types.ts";
import type { PolicySet } from "../../policy/load.ts";
import {
  matchWorkloads,
  parseRequester,
  pathFor,
  type WorkloadPolicy,
} from "../../policy/workload-policy.ts";
import {
  type AttestedComponents,
  type DenialReason,
  judgeWorkload,
  notRegistered,
  refuseQuarantined,
} from "./judge-workload.ts";

/** What was attested of a workload when it was granted an identity. */
export interface AttestedThen extends AttestedComponents {
  readonly selectors: readonly string[];
}

/** Whether an identity would be granted once more. */
export type Judged =
  /** It would, and until then at most: milliseconds since the epoch. */
  | { readonly case: "holds"; readonly until: number }
  | { readonly case: "denied"; readonly reasons: readonly DenialReason[] };

/** The workload policies by which this very identity is given to those who asked for it. */
export function registrationsOf(
  set: PolicySet | undefined,
  { requester, spiffeId }: IdentityRecord,
  { selectors, components }: AttestedThen,
): WorkloadPolicy[] {
  if (set === undefined) return [];
  const path = pathOf(parseSpiffeId(spiffeId));
  return matchWorkloads(set, parseRequester(requester), selectors).filter(
    (workload) => pathFor(workload, components) === path,
  );
}

/** What identities are judged by. */
export interface IdentityTerms {
  /** What all digests that were attested are judged from, by the policies that the workload policy names. */
  readonly standings: (workload: WorkloadPolicy) => readonly Omit<DecisionInput, "policies">[];
  /** Open ones of SPIFFE IDs and serial numbers. */
  readonly quarantines: readonly Quarantine[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Asks of an identity that was granted what was asked when it was: one of the registrations must give it. */
export function judgeIdentity(
  identity: IdentityRecord,
  attested: AttestedThen,
  registrations: readonly WorkloadPolicy[],
  { standings, quarantines, now }: IdentityTerms,
): Judged {
  const held = judgeByQuarantines(identity, quarantines);
  if (held !== undefined) return held;
  const { kind, spiffeId } = identity;
  if (registrations.length === 0) return { case: "denied", reasons: [notRegistered(spiffeId)] };
  const judged = registrations.map((workload) =>
    judgeWorkload(workload, attested, standings(workload), { kind, now, until: Number.MAX_SAFE_INTEGER }),
  );
  const ends = judged.flatMap(({ entitlement }) => entitlement?.expiresAt ?? []);
  return ends.length > 0
    ? { case: "holds", until: Math.max(...ends) }
    : { case: "denied", reasons: judged.flatMap(({ denials }) => denials) };
}

/** What quarantines of SPIFFE IDs and serial numbers say by themselves, whatever is known of the digests. */
export function judgeByQuarantines(
  { spiffeId, serial }: IdentityRecord,
  quarantines: readonly Quarantine[],
): Judged | undefined {
  const refusal = refuseQuarantined(quarantines, parseSpiffeId(spiffeId), serial);
  return refusal && { case: "denied", reasons: [refusal] };
}

/** What was attested of a workload when it was granted an identity, of that event's body. */
export function attestedIn(body: JsonObject): AttestedThen {
  return { selectors: textsIn(body, "selectors"), components: componentsIn(body), absent: new Map() };
}
