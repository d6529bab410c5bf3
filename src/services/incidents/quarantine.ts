import { randomUUID } from "node:crypto";
import { type ChainKey, PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import { parseQuarantineTarget, type QuarantineTarget } from "../../custody/quarantine-target.ts";
import type { Receipt } from "../../custody/receipt.ts";
import { searchIdentities } from "../../db/identities.ts";
import { findQuarantine, openQuarantines, type QuarantineRecord } from "../../db/quarantines.ts";
import { VouchsafeError } from "../../errors.ts";
import { isReserved } from "../../identity/agent-id.ts";
import { trustDomainOf } from "../../identity/spiffe-id.ts";
import type { JsonObject } from "../../in-toto-attestation/types.ts";
import { activePolicySet } from "../active-policy-set.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { standingIn, takeBack } from "../take-back.ts";
import type { Falls } from "./falls.ts";
import { quarantineFalls } from "./quarantine-falls.ts";
import { withKeyId } from "./revocations.ts";

export interface QuarantineRequest {
  /** As `parseQuarantineTarget` takes it. */
  readonly target?: JsonObject;
  /** In the place of a target: of this artifact. */
  readonly artifact?: string;
  readonly reason: string;
}

/** A quarantine as the API gives it. */
export interface QuarantineSummary {
  readonly id: string;
  readonly target: QuarantineTarget;
  readonly reason: string;
  readonly index: number;
}

/** All those of policies are in every decision, and each by rule is asked about all evidence of an artifact. */
const MAX_BY_RULE = 1000;

/**
 * Denies what the target names from the commit of this event on, whatever its verdicts say. Several may stand at once, of one
 * target too. What falls is told afterwards; `falls` is null where that could not be found out, which lifts nothing.
 *
 * @throws VouchsafeError `malformed-digest`, `invalid-request`, `invalid-spiffe-id`; `not-found` for a policy or a serial number
 *   that is none; `too-many-items` where 1,000 by rule are open
 */
export async function openQuarantine(
  v: Vouchsafe,
  { project, token }: Caller,
  request: QuarantineRequest,
): Promise<QuarantineSummary & { readonly receipt: Receipt; readonly falls: Falls | null }> {
  const { reason } = request;
  const target = await readTarget(v, project, request);
  const about = await chainsOf(v, project, target);
  if (!("artifact" in target)) await refuseTooMany(v, project);
  const id = randomUUID();
  const named = "artifact" in target ? target : { target: target as unknown as JsonObject };
  const { committed } = await appendFresh(v, async () => {
    const body = { id, ...named, reason, caller: token };
    // It rests on nothing, so that nothing that happens meanwhile can hold it up.
    const events = [{ type: "quarantine.opened", about, body }] as const;
    return { proposal: { project, asOf: v.projection.size, restsOn: [], events } };
  });
  const { index, receipt } = onlyEvent(committed);
  const falls = await quarantineFalls(v, project, target, index).catch((cause: unknown) => {
    v.report("what falls by a quarantine could not be found out", cause);
    return null;
  });
  return { id, target, reason, index, receipt, falls };
}

/** What would fall. Nothing is written. Throws as `openQuarantine`. */
export async function previewQuarantine(
  v: Vouchsafe,
  { project }: Caller,
  request: QuarantineRequest,
): Promise<{ readonly target: QuarantineTarget; readonly falls: Falls }> {
  const target = await readTarget(v, project, request);
  // Refuses what could not be opened.
  await chainsOf(v, project, target);
  return { target, falls: await quarantineFalls(v, project, target) };
}

/** @throws VouchsafeError `not-found` when it is not open */
export async function liftQuarantine(
  v: Vouchsafe,
  caller: Caller,
  { id, reason }: { readonly id: string; readonly reason: string },
) {
  return takeBack(v, caller, { type: "quarantine.lifted", id, reason }, async () => {
    const quarantine = await findQuarantine(v.database.kysely, caller.project, id);
    if (!quarantine || quarantine.liftedIndex !== undefined) {
      throw new VouchsafeError("not-found", `No quarantine ${id} is open`);
    }
    const { target } = quarantine;
    if ("artifact" in target) return standingIn(target);
    return { chains: await chainsOf(v, caller.project, target) };
  });
}

/** Those that are open, oldest first. */
export async function listQuarantines(v: Vouchsafe, { project }: Caller) {
  const quarantines = await openQuarantines(v.database.kysely, project);
  return { quarantines: quarantines.map(summaryOf) };
}

function summaryOf({ id, target, reason, openedIndex }: QuarantineRecord): QuarantineSummary {
  return { id, target, reason, index: openedIndex };
}

/** The target as its event has it. What cannot be met is a slip of the pen, and would look like safety. */
async function readTarget(
  v: Vouchsafe,
  project: ProjectId,
  request: QuarantineRequest,
): Promise<QuarantineTarget> {
  const { artifact, target: named } = request;
  if ((artifact === undefined) === (named === undefined))
    throw new VouchsafeError("invalid-request", "Say what: a target, or the digest of an artifact");
  const target = parseQuarantineTarget(artifact === undefined ? named : { artifact });
  if ("signer" in target) return withKeyId(v, project, target);
  if ("policy" in target) {
    const policySet = await activePolicySet(v, project);
    if (!policySet?.policies.has(target.policy))
      throw new VouchsafeError("not-found", `No active policy is named ${target.policy}`);
  }
  if ("spiffeId" in target) {
    const { spiffeId } = target;
    if (trustDomainOf(spiffeId) !== v.authority.trustDomain)
      throw new VouchsafeError(
        "invalid-request",
        `No ID of another trust domain is granted here: ${spiffeId}`,
      );
    if (isReserved(spiffeId))
      throw new VouchsafeError(
        "invalid-request",
        `${spiffeId} is the service's own: revoke the agent instead`,
      );
  }
  return target;
}

/** One artifact's chain; or the project's, so that every grant under way is decided again, and those of whom an SVID is for. */
async function chainsOf(
  { database }: Vouchsafe,
  project: ProjectId,
  target: QuarantineTarget,
): Promise<readonly ChainKey[]> {
  if ("artifact" in target) return [target.artifact];
  if (!("serial" in target)) return [PROJECT_CHAIN];
  const [identity] = await searchIdentities(database.kysely, project, { ...target, limit: 1 });
  if (identity === undefined)
    throw new VouchsafeError("not-found", `No SVID with the serial number ${target.serial} was granted`);
  return [PROJECT_CHAIN, ...identity.digests];
}

async function refuseTooMany({ database }: Vouchsafe, project: ProjectId): Promise<void> {
  const open = await openQuarantines(database.kysely, project);
  if (open.filter(({ target }) => !("artifact" in target)).length < MAX_BY_RULE) return;
  throw new VouchsafeError(
    "too-many-items",
    `${MAX_BY_RULE} quarantines by rule are open: lift some, or change the policies in their place`,
  );
}
