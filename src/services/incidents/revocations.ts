import { randomUUID } from "node:crypto";
import { type ChainKey, PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import type { Receipt } from "../../custody/receipt.ts";
import { parseTarget, type RevocationTarget, type RevokedSigner } from "../../custody/revocation-target.ts";
import { findAttestation, subjectsOfAttestation } from "../../db/evidence.ts";
import { readChain, readEvents } from "../../db/log.ts";
import { findRevocation, type RevocationRecord, standingRevocations } from "../../db/revocations.ts";
import { VouchsafeError } from "../../errors.ts";
import type { JsonObject } from "../../in-toto-attestation/types.ts";
import { parseUtcTime } from "../../utc-time.ts";
import type { Subject } from "../../verify/verified-attestation.ts";
import { readActiveTrust } from "../activation/activate-trust.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { reevaluateInTurn, reevaluateProject } from "../decisions/reevaluate.ts";
import { takeBack } from "../take-back.ts";
import { batchesConcerned } from "./concerned-artifacts.ts";
import type { Falls } from "./falls.ts";
import { fallsOf } from "./revocation-falls.ts";

export interface RevocationRequest {
  /** As `parseTarget` takes it; times in any form of RFC 3339 in UTC. */
  readonly target: JsonObject;
  readonly reason: string;
}

/** A revocation as the API gives it. */
export interface RevocationSummary {
  readonly id: string;
  readonly target: RevocationTarget;
  readonly reason: string;
  readonly index: number;
  /** The event that took it back, or null while it stands. */
  readonly withdrawnIndex: number | null;
}

/** All of them are in force at each evaluation. Who needs more means a signer or a builder. */
const MAX_STANDING = 1000;
/** An event joins up to 4,096 chains, and this one the project's besides. */
const MAX_ABOUT = 4_095;

/**
 * Has evidence count for nothing from the commit of this event on, be it pushed already or later. Every verdict is then
 * outdated: a question evaluates it first, so that nothing is allowed that rests on the evidence. What falls is told
 * afterwards; `falls` is null where that could not be found out, which takes nothing back.
 *
 * @throws VouchsafeError `invalid-request`; `too-many-items` where 1,000 revocations stand
 */
export async function revokeEvidence(
  v: Vouchsafe,
  { project, token }: Caller,
  request: RevocationRequest,
): Promise<RevocationSummary & { readonly receipt: Receipt; readonly falls: Falls | null }> {
  const { kysely } = v.database;
  const target = await readTarget(v, project, request.target);
  const { reason } = request;
  if ((await standingRevocations(kysely, project)).length >= MAX_STANDING) {
    throw new VouchsafeError(
      "too-many-items",
      `${MAX_STANDING} revocations stand: withdraw some, or revoke a signer or a builder in their place`,
    );
  }
  const id = randomUUID();
  const { committed } = await appendFresh(v, async () => {
    const about = [PROJECT_CHAIN, ...(await chainsOf(v, project, target))];
    const body = { id, target: target as unknown as JsonObject, reason, caller: token };
    // It rests on nothing, so that nothing that happens meanwhile can hold it up.
    const events = [{ type: "evidence.revoked", about, body }] as const;
    return { proposal: { project, asOf: v.projection.size, restsOn: [], events } };
  });
  // Where the node ends before this has: what is asked about is evaluated then, as everything is until its turn comes.
  v.background((signal) => reevaluateFor(v, project, target, signal));
  const { index, receipt } = onlyEvent(committed);
  const falls = await fallsOf(v, project, { id, target, reason }, index).catch((cause: unknown) => {
    v.report("what falls by a revocation could not be found out", cause);
    return null;
  });
  return { id, target, reason, index, withdrawnIndex: null, receipt, falls };
}

/** What would fall. Nothing is written. Throws `invalid-request`. */
export async function previewRevocation(
  v: Vouchsafe,
  { project }: Caller,
  request: RevocationRequest,
): Promise<{ readonly target: RevocationTarget; readonly falls: Falls }> {
  const target = await readTarget(v, project, request.target);
  return { target, falls: await fallsOf(v, project, { id: randomUUID(), target, reason: request.reason }) };
}

/** @throws VouchsafeError `not-found` where it does not stand */
export async function withdrawRevocation(
  v: Vouchsafe,
  caller: Caller,
  { id, reason }: { readonly id: string; readonly reason: string },
): Promise<{ readonly id: string; readonly receipt: Receipt }> {
  const { project } = caller;
  const { target } = await readRevocation(v, caller, id);
  const taken = await takeBack(v, caller, { type: "revocation.withdrawn", id, reason }, async () => {
    const revocation = await findRevocation(v.database.kysely, project, id);
    if (!revocation || revocation.withdrawnIndex !== undefined) {
      throw new VouchsafeError("not-found", `No revocation ${id} stands`);
    }
    return { chains: [PROJECT_CHAIN, ...(await chainsOf(v, project, target))] };
  });
  v.background((signal) => reevaluateFor(v, project, target, signal));
  return taken;
}

/** Those that stand, oldest first. */
export async function listRevocations(v: Vouchsafe, { project }: Caller) {
  const revocations = await standingRevocations(v.database.kysely, project);
  return { revocations: revocations.map(summaryOf) };
}

/** One of them, whether or not it still stands. Throws `not-found`. */
export async function readRevocation(
  v: Vouchsafe,
  { project }: Caller,
  id: string,
): Promise<RevocationSummary> {
  const revocation = await findRevocation(v.database.kysely, project, id);
  if (revocation === undefined) throw new VouchsafeError("not-found", `There is no revocation ${id}`);
  return summaryOf(revocation);
}

function summaryOf({ revokedIndex, withdrawnIndex, ...revocation }: RevocationRecord): RevocationSummary {
  return { ...revocation, index: revokedIndex, withdrawnIndex: withdrawnIndex ?? null };
}

/** The target as its event has it: what it names, with what is known of that now and stays true of it. */
async function readTarget(v: Vouchsafe, project: ProjectId, asked: JsonObject): Promise<RevocationTarget> {
  const target = parseTarget(withExactTimes(asked));
  if ("signer" in target) return withKeyId(v, project, target);
  if (!("attestation" in target)) return target;
  const { attestation } = target;
  const { kysely } = v.database;
  const record = await findAttestation(kysely, project, attestation);
  const [accepted] = record === undefined ? [] : await readEvents(kysely, project, [record.index]);
  const payload = accepted?.body.payload;
  return parseTarget({ attestation, ...(payload !== undefined && { payload }) });
}

/** A key is named with the id that it has in the trust snapshot in force: it is the same key under another name. */
export async function withKeyId<T extends { readonly signer: RevokedSigner }>(
  v: Vouchsafe,
  project: ProjectId,
  target: T,
): Promise<T> {
  if (!("key" in target.signer)) return target;
  const { key: name } = target.signer;
  const keyId = (await readActiveTrust(v, project))?.keys.find((key) => key.name === name)?.keyId;
  return { ...target, signer: { key: name, ...(keyId !== undefined && { keyId }) } };
}

function withExactTimes(target: JsonObject): JsonObject {
  const times = ["from", "until"].flatMap((name) => {
    const said = target[name];
    const time = typeof said === "string" ? parseUtcTime(said) : undefined;
    return time === undefined ? [] : [[name, new Date(time).toISOString()]];
  });
  return { ...target, ...Object.fromEntries(times) };
}

/** The chains that it joins besides the project's: those of the artifacts that it names, where it names some. */
async function chainsOf(v: Vouchsafe, project: ProjectId, target: RevocationTarget): Promise<ChainKey[]> {
  const { kysely } = v.database;
  if ("artifact" in target) {
    const { artifact } = target;
    const accepted = await readChain(kysely, project, artifact, { types: ["evidence.accepted"] });
    const names = accepted
      .flatMap(({ body }) => body.subjects as unknown as readonly Subject[])
      .flatMap(({ digests }) => (digests.includes(artifact) ? digests : []));
    return [...new Set([artifact, ...names])].slice(0, MAX_ABOUT);
  }
  if (!("attestation" in target)) return [];
  const subjects = await subjectsOfAttestation(kysely, project, target.attestation);
  return [...new Set(subjects.map(({ digest }) => digest))].slice(0, MAX_ABOUT);
}

/** Records what changed: first for what the evidence is about, and then confirms all that did not change. */
async function reevaluateFor(
  v: Vouchsafe,
  project: ProjectId,
  target: RevocationTarget,
  signal: AbortSignal,
): Promise<void> {
  for await (const artifacts of batchesConcerned(v, project, target)) {
    if (signal.aborted) return;
    await reevaluateInTurn(v, project, artifacts);
  }
  await reevaluateProject(v, project, signal);
}
