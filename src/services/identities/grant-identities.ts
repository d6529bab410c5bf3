import type { EventDraft } from "../../custody/events.ts";
import type { Quarantine } from "../../custody/quarantines.ts";
import type { Receipt } from "../../custody/receipt.ts";
import { chainsBehind } from "../../db/decision-inputs.ts";
import { findX509Identities, type IdentityRecord } from "../../db/identities.ts";
import { quarantinesOfIdentities } from "../../db/quarantines.ts";
import { VouchsafeError } from "../../errors.ts";
import { isOfProject } from "../../identity/project-name.ts";
import { type SpiffeId, spiffeId } from "../../identity/spiffe-id.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { pathFor, requesterName, type WorkloadPolicy } from "../../policy/workload-policy.ts";
import { appendFresh } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { readStanding, type Standing } from "../decisions/workload-standing.ts";
import type { SigningAuthority } from "./authority.ts";
import {
  type AttestedComponents,
  type DenialReason,
  type Entitlement,
  judgeWorkload,
  notRegistered,
  refuseQuarantined,
} from "./judge-workload.ts";
import { requesterOf } from "./requester.ts";
import { refuseRevoked } from "./revoked-agents.ts";

/** What is asked for a running workload. */
export interface IdentityRequest extends AttestedComponents {
  readonly kind: "x509" | "jwt";
  /** What was attested of it. */
  readonly selectors: readonly string[];
  /** sha256 of the SubjectPublicKeyInfo that an X.509-SVID is for. */
  readonly keyHash: Digest | null;
  /** A new one for each SVID: a serial number in hex, or a `jti`. */
  readonly newSerial: () => string;
  /** Why a workload policy that matches gives nothing to this request. */
  readonly refuse?: (workload: WorkloadPolicy, id: SpiffeId) => DenialReason | undefined;
  /** Serial numbers of the X.509-SVIDs that the new ones take the place of. */
  readonly renews?: readonly string[];
}

/** An SVID that is decided and recorded, and may now be signed. */
export interface Grant extends Entitlement {
  readonly workload: WorkloadPolicy;
  readonly spiffeId: SpiffeId;
  readonly serial: string;
  /** What is to sign it, and was recorded. */
  readonly authority: SigningAuthority;
  /** Of the SVID that it takes the place of. */
  readonly renews: string | undefined;
  readonly receipt: Receipt;
}

type Prepared = Omit<Grant, "receipt">;

/** A denial can have one for each digest under each policy of each workload policy. */
const MAX_REASONS = 64;
/**
 * For how long after it was decided a grant may be signed, in milliseconds. A node that was stopped in between does
 * not know what was quarantined meanwhile: it decides again when it is asked again.
 */
const SIGN_WITHIN = 5_000;

/**
 * Grants a running workload the identities that it is registered for: the workload policies are matched under
 * which this requester may ask, every digest is decided by the policies that they name, and what is allowed is
 * recorded. When anything that it rests on moved before the log's head could be locked, all is decided anew: no
 * node that lags can grant past a quarantine that is committed.
 *
 * Resolves when the events are committed; only then may an SVID be signed. A crash before it is delivered leaves
 * an event without an SVID, which harms nobody.
 *
 * @returns at least one
 * @throws VouchsafeError `identity-denied` with the `reasons`, which were recorded; `agent-proof-invalid` for an agent
 *   that was revoked meanwhile; `forbidden`; `unavailable`
 */
export async function grantIdentities(
  v: Vouchsafe,
  caller: Caller,
  request: IdentityRequest,
): Promise<readonly Grant[]> {
  const { project } = caller;
  const requester = requesterOf(caller);
  const renewed = await findRenewed(v, caller, request);
  const ownName = await v.projects.nameOf(project);
  // No set that reaches further is activated; one of before there were projects may have been.
  const refuse: IdentityRequest["refuse"] = (workload, id) =>
    isOfProject(id, ownName) ? request.refuse?.(workload, id) : ofAnotherProject(id);

  const { committed, granted, denials, standing } = await appendFresh(v, async () => {
    const standing = await readStanding(v, project, requester, request);
    await refuseRevoked(v, caller);
    const named = standing.workloads.map((workload) => namedBy(v, request, workload, renewed));
    const quarantines = await quarantinesOfIdentities(v.database.kysely, project, {
      spiffeIds: named.flatMap(({ id }) => id ?? []),
      serials: named.flatMap(({ renews }) => renews ?? []),
    });
    const judged = named.map((one) => prepare(v, { ...request, refuse }, standing, one, quarantines));
    const granted = judged.flatMap(({ prepared }) => prepared ?? []);
    const events = granted.map((grant) => identityEvent(request, requesterName(requester), standing, grant));
    const restsOn = [...new Set(standing.digests.flatMap((one) => chainsBehind(one.digest, one)))];
    return {
      standing,
      granted,
      denials: judged.flatMap(({ denials }) => denials),
      proposal: { project, asOf: standing.asOf, restsOn, events },
    };
  });
  const known = standing.digests.filter(({ hasEvidence }) => hasEvidence).map(({ digest }) => digest);
  const record = (reasons: readonly DenialReason[]) =>
    v.denials.record({ project, requester: requesterName(requester), request, known, reasons });
  if (granted.length === 0) {
    const reasons = (standing.workloads.length === 0 ? [notRegistered()] : denials).slice(0, MAX_REASONS);
    await record(reasons);
    throw new VouchsafeError("identity-denied", `No identity is granted: ${reasons[0]?.message}`, {
      extensions: { reasons },
    });
  }
  // What is granted by one policy is no reason not to tell what another would have done.
  const audited = denials.filter(({ workload }) => workload !== undefined).slice(0, MAX_REASONS);
  if (audited.length > 0)
    await record(audited).catch((cause: unknown) =>
      v.report("what workload policies in audit mode would do could not be recorded", cause),
    );
  if (granted.some(({ decidedAt }) => v.clock() - decidedAt > SIGN_WITHIN)) {
    throw new VouchsafeError("unavailable", "Recording the grant took too long to rely on it; ask again");
  }
  return granted.flatMap(({ decidedAt: _, ...grant }, i) => {
    const { receipt } = committed[i] ?? {};
    return receipt === undefined ? [] : [{ ...grant, receipt }];
  });
}

function ofAnotherProject(id: SpiffeId): DenialReason {
  return { code: "outside-project", message: `${id} is no SPIFFE ID of this project` };
}

/** What a workload policy gives, and what that takes the place of. */
interface Named {
  readonly workload: WorkloadPolicy;
  /** Undefined where what would name it was not attested. */
  readonly id: SpiffeId | undefined;
  readonly renews: string | undefined;
}

function namedBy(
  v: Vouchsafe,
  { components }: IdentityRequest,
  workload: WorkloadPolicy,
  renewed: readonly IdentityRecord[],
): Named {
  const path = pathFor(workload, components);
  const id = path === undefined ? undefined : spiffeId(v.authority.trustDomain, path);
  const predecessor = renewed.find((one) => one.workload === workload.name && one.spiffeId === id);
  return { workload, id, renews: predecessor?.serial };
}

function prepare(
  v: Vouchsafe,
  request: IdentityRequest,
  standing: Standing,
  { workload, id, renews }: Named,
  quarantines: readonly Quarantine[],
): { prepared?: Prepared & { decidedAt: number }; denials: readonly DenialReason[] } {
  const { kind, newSerial, refuse } = request;
  const refusal = id && (refuse?.(workload, id) ?? refuseQuarantined(quarantines, id, renews));
  if (refusal !== undefined) return { denials: [refusal] };
  const now = v.clock();
  const authority = v.authority.current();
  const { entitlement, denials } = judgeWorkload(workload, request, standing.digests, {
    kind,
    now,
    until: authority.until,
  });
  // What would name the ID is missing: that is one of the denials.
  if (entitlement === undefined || id === undefined) return { denials };
  return {
    prepared: {
      workload,
      spiffeId: id,
      serial: newSerial(),
      renews,
      authority,
      decidedAt: now,
      ...entitlement,
    },
    denials,
  };
}

/** The SVIDs that are renewed, as far as they were granted to this requester and not revoked. Others are issued and not renewed. */
async function findRenewed(
  v: Vouchsafe,
  caller: Caller,
  { renews = [] }: IdentityRequest,
): Promise<readonly IdentityRecord[]> {
  if (renews.length === 0) return [];
  const own = requesterName(requesterOf(caller));
  const found = await findX509Identities(v.database.kysely, caller.project, renews);
  return found.filter(({ requester, revokedIndex }) => requester === own && revokedIndex === null);
}

function identityEvent(
  { kind, selectors, components, keyHash }: IdentityRequest,
  requester: string,
  { policySet, digests: [first] }: Standing,
  { workload, spiffeId, serial, renews, authority, issuedAt, expiresAt, ...rest }: Prepared,
): EventDraft {
  const { grounds, wouldDeny, exceptions } = rest;
  return {
    type: renews === undefined ? "identity.issued" : "identity.renewed",
    about: grounds.digests,
    body: {
      workload: workload.name,
      workloadHash: workload.hash,
      spiffeId,
      kind,
      serial,
      keyHash,
      ...grounds,
      components: Object.fromEntries(components),
      ...(wouldDeny.length > 0 && { wouldDeny: wouldDeny.map((one) => ({ ...one })) }),
      ...(exceptions.length > 0 && { exceptions }),
      policySet,
      trust: first?.inForce.trust ?? "",
      requester,
      authority: authority.id,
      selectors,
      issuedAt: new Date(issuedAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
      renews: renews ?? null,
    },
  };
}
