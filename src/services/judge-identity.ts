import type { IdentityRecord } from "../db/identities.ts";
import type { DecisionInput } from "../decisions/decide.ts";
import { parseSpiffeId, pathOf } from "../identity/spiffe-id.ts";
import { hexOf } from "../in-toto-attestation/digest.ts";
import type { PolicySet } from "../policy/load.ts";
import {
  matchWorkloads,
  parseRequester,
  spiffePath,
  type WorkloadPolicy,
} from "../policy/workload-policy.ts";
import { type DenialReason, judgeWorkload, notRegistered } from "./judge-workload.ts";

/** Whether an identity would be granted once more. */
export type Judged =
  /** It would, and until then at most: milliseconds since the epoch. */
  | { readonly case: "holds"; readonly until: number }
  | { readonly case: "denied"; readonly reasons: readonly DenialReason[] };

/** The workload policies by which this very identity is given to those who asked for it. */
export function registrationsOf(
  set: PolicySet | undefined,
  { requester, spiffeId, digests: [first] }: IdentityRecord,
  selectors: readonly string[],
): WorkloadPolicy[] {
  if (set === undefined || first === undefined) return [];
  const path = pathOf(parseSpiffeId(spiffeId));
  return matchWorkloads(set, parseRequester(requester), selectors).filter(
    (workload) => spiffePath(workload, hexOf(first)) === path,
  );
}

/**
 * Asks of an identity that was granted what was asked when it was: one of the registrations must give it.
 *
 * @param standings what its digests are judged from, by the policies that the workload policy names
 */
export function judgeIdentity(
  { kind, spiffeId }: IdentityRecord,
  registrations: readonly WorkloadPolicy[],
  standings: (workload: WorkloadPolicy) => readonly Omit<DecisionInput, "policies">[],
  now: number,
): Judged {
  if (registrations.length === 0) return { case: "denied", reasons: [notRegistered(spiffeId)] };
  const judged = registrations.map((workload) =>
    judgeWorkload(workload, standings(workload), { kind, now, until: Number.MAX_SAFE_INTEGER }),
  );
  const ends = judged.flatMap(({ entitlement }) => entitlement?.expiresAt ?? []);
  return ends.length > 0
    ? { case: "holds", until: Math.max(...ends) }
    : { case: "denied", reasons: judged.flatMap(({ denials }) => denials) };
}

/** The selectors that an identity was granted for, of its event's body. */
export function selectorsIn(body: { readonly selectors?: unknown }): string[] {
  const { selectors } = body;
  return Array.isArray(selectors) ? selectors.filter((one) => typeof one === "string") : [];
}
