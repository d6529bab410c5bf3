import type { LogEvent, ProjectId } from "../../custody/events.ts";
import { PROJECT_CHAIN } from "../../custody/events.ts";
import { type Material, type PackHeader, writeEvent, writeHeader, writeRecord } from "../../custody/pack.ts";
import { createNeeds, type Reference, referenceName, relatedBy } from "../../custody/references.ts";
import { findEvidence, readDocument } from "../../db/evidence.ts";
import { readChains, tileReader } from "../../db/log.ts";
import { findExpiration } from "../../db/retention.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { proveInclusions } from "../../tlog/proofs.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { readWitnessed } from "../log/cosigned-checkpoints.ts";
import { nothingRecorded } from "../nothing-recorded.ts";
import type { AsOf } from "./state-as-of.ts";
import { type TreeAsOf, treeAsOf } from "./tree-as-of.ts";

/** Events that are in memory at a time. */
const PAGE = 256;

/**
 * One file with all that is needed to check the artifact's chain again offline, line by line: its events, those of the
 * artifacts that its verdicts rest on and the project's wide events with proofs; the evidence, manifests, policies and trust
 * that they name. As of the same size it is the same bytes, cosignatures apart, however much the log has grown since.
 * Where the log has witnesses, it is as of the newest tree that they have cosigned, if that has all of these events.
 *
 * What is below a size never changes, so that no transaction is held open. Whoever reads slowly is waited for.
 *
 * @throws VouchsafeError before the first line: `not-found` when nothing is recorded about it, `evidence-expired` when retention has
 *   deleted bytes since then, and as `treeAsOf`
 */
export async function* exportPack(
  v: Vouchsafe,
  { project }: Caller,
  text: string,
  asOf?: AsOf,
): AsyncGenerator<Uint8Array, void> {
  const artifact = parseDigest(text);
  const newest = await treeAsOf(v, asOf);
  const { last, ...contents } = await describe(v, project, artifact, newest);
  const tree = await witnessed(v, newest, asOf === undefined ? last + 1 : newest.size);
  const header = { artifact, checkpoint: tree.checkpoint, ...contents };
  yield writeHeader(header);

  const readTiles = tileReader(v.database.kysely);
  const needs = createNeeds(artifact, header.related);
  for await (const events of pagesOf(v, project, [artifact, PROJECT_CHAIN, ...header.related], tree)) {
    const indexes = events.map(({ index }) => index);
    const proofs = await proveInclusions(readTiles, indexes, tree.size);
    for (const [i, event] of events.entries()) {
      for (const reference of needs(event))
        yield writeRecord(await readRecord(v, project, reference, tree.size));
      yield writeEvent(event, proofs[i] ?? []);
    }
  }
}

/** What is going to be in the file, and the index of its last event: nothing of it is kept. */
async function describe(
  v: Vouchsafe,
  project: ProjectId,
  artifact: Digest,
  { size }: TreeAsOf,
): Promise<Pick<PackHeader, "related" | "records"> & { readonly last: number }> {
  const found = new Set<Digest>();
  let isKnown = false;
  for await (const events of pagesOf(v, project, [artifact], { size })) {
    isKnown = true;
    for (const event of events) for (const digest of relatedBy(artifact, event)) found.add(digest);
  }
  if (!isKnown) throw nothingRecorded(artifact);

  const related = [...found].sort();
  const records = { event: 0, evidence: 0, manifest: 0, policy: 0, trust: 0 };
  const needs = createNeeds(artifact, related);
  let last = 0;
  for await (const events of pagesOf(v, project, [artifact, PROJECT_CHAIN, ...related], { size })) {
    records.event += events.length;
    last = events.at(-1)?.index ?? last;
    for (const { case: kind, hash } of events.flatMap(needs)) {
      records[kind] += 1;
      if (kind === "evidence") await refuseExpiredSince(v, project, hash, size);
    }
  }
  return { related, records, last };
}

/** The newest tree of at least so many entries that the log's witnesses have cosigned, if there is one. */
async function witnessed(
  { database, witnesses, log }: Vouchsafe,
  newest: TreeAsOf,
  from: number,
): Promise<Pick<TreeAsOf, "size" | "checkpoint">> {
  if (witnesses === undefined) return newest;
  const cosigning = { database, policy: witnesses.policy, signers: log.signers };
  return (await readWitnessed(cosigning, from, newest.size)) ?? newest;
}

/** Which event took bytes away could not be shown in a file that ends before it. */
async function refuseExpiredSince(
  { database }: Vouchsafe,
  project: ProjectId,
  attestation: Digest,
  size: number,
): Promise<void> {
  const index = await findExpiration(database.kysely, project, attestation);
  if (index !== undefined) refuseFrom(size, attestation, index);
}

function refuseFrom(size: number, attestation: Digest, index: number): void {
  if (index < size) return;
  throw new VouchsafeError(
    "evidence-expired",
    `Event ${index} deleted the bytes of attestation ${attestation}: export as of a size after it`,
  );
}

/** The events of these chains below a size in the order of the log, each once. */
async function* pagesOf(
  { database }: Vouchsafe,
  project: ProjectId,
  keys: readonly (Digest | typeof PROJECT_CHAIN)[],
  { size }: Pick<TreeAsOf, "size">,
): AsyncGenerator<readonly LogEvent[], void> {
  for (let from = 0; ; ) {
    const page = { from, below: size, limit: PAGE };
    const events = await readChains(database.kysely, project, keys, page);
    const last = events.at(-1);
    if (last === undefined) return;
    yield events;
    from = last.index + 1;
  }
}

async function readRecord(
  { database }: Vouchsafe,
  project: ProjectId,
  reference: Reference,
  size: number,
): Promise<Material> {
  const { case: kind, hash } = reference;
  if (kind !== "evidence") {
    const { bytes } = present(await readDocument(database.kysely, project, hash), reference);
    return { case: kind, hash, bytes };
  }
  const stored = present(await findEvidence(database.kysely, project, hash), reference);
  if ("expired" in stored) {
    // It was there when the file was begun: this one breaks off, and the next says where the bytes went.
    refuseFrom(size, hash, stored.expired);
    return { case: "expired", ...stored };
  }
  return { case: "evidence", hash, mediaType: stored.mediaType, bytes: stored.bytes };
}

function present<T>(stored: T | undefined, reference: Reference): T {
  if (stored !== undefined) return stored;
  const name = referenceName(reference);
  throw new VouchsafeError("log-inconsistent", `The ${name} that the log names is not stored`);
}
