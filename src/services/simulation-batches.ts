import type { ProjectId } from "../custody/events.ts";
import {
  type AboutArtifact,
  artifactsNamedBy,
  attestationsAbout,
  attestationsFrom,
  readRecordedBytes,
} from "../db/recorded-evidence.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Vouchsafe } from "./context.ts";
import type { Place, SimulationBatch } from "./simulate-batch.ts";

/** Attestations, and artifacts that they are about, gone through at once. */
const PAGE = { attestations: 256, artifacts: 512 };
/** Evidence of one batch, unless one artifact alone has more. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A batch, and where its evidence came from, for what must be verified. */
export interface StoredBatch extends SimulationBatch {
  readonly stored: readonly AboutArtifact[];
}

/** Pages of batches, with the attestations that are behind each: every artifact once, with all evidence about it. */
export async function* batchesBelow(
  v: Vouchsafe,
  project: ProjectId,
  below: number,
): AsyncGenerator<{ readonly attestations: number; readonly batches: AsyncGenerator<StoredBatch> }> {
  const db = v.database.kysely;
  for (let from = 0; ; ) {
    const page = await attestationsFrom(db, project, { from, below }, PAGE.attestations);
    const last = page.at(-1);
    if (last === undefined) return;
    const named = await artifactsNamedBy(
      db,
      project,
      page.map(({ id }) => id),
    );
    yield { attestations: page.length, batches: batchesOf(v, project, named, { from, below }) };
    from = last.index + 1;
  }
}

/** Those of the artifacts of which there was no evidence before `from`: others were in a page before. */
async function* batchesOf(
  v: Vouchsafe,
  project: ProjectId,
  artifacts: readonly Digest[],
  { from, below }: { readonly from: number; readonly below: number },
): AsyncGenerator<StoredBatch> {
  for (let i = 0; i < artifacts.length; i += PAGE.artifacts) {
    const some = artifacts.slice(i, i + PAGE.artifacts);
    const about = await attestationsAbout(v.database.kysely, project, some, below);
    const byArtifact = Map.groupBy(about, ({ artifact }) => artifact);
    const fresh = [...byArtifact.values()].filter(([first]) => first !== undefined && first.index >= from);
    for (const group of groupsOf(fresh)) yield readBatch(v, project, group);
  }
}

function groupsOf(artifacts: readonly AboutArtifact[][]): AboutArtifact[][][] {
  const groups: AboutArtifact[][][] = [];
  let known = new Set<Digest>();
  let bytes = MAX_BYTES;
  for (const about of artifacts) {
    const added = about.filter(({ id }) => !known.has(id)).reduce((sum, { size }) => sum + size, 0);
    bytes += added;
    const group = groups.at(-1);
    if (group === undefined || bytes > MAX_BYTES) {
      groups.push([about]);
      known = new Set();
      bytes = about.reduce((sum, { size }) => sum + size, 0);
    } else group.push(about);
    for (const { id } of about) known.add(id);
  }
  return groups;
}

async function readBatch(
  v: Vouchsafe,
  project: ProjectId,
  artifacts: readonly AboutArtifact[][],
): Promise<StoredBatch> {
  const stored = artifacts.flat();
  return {
    stored,
    artifacts: artifacts.flatMap((about) => {
      const [first] = about;
      return first ? [{ digest: first.artifact, attestations: about.map(({ id }) => id) }] : [];
    }),
    others: new Map(),
    manifests: [],
    verified: new Map(),
    ...(await readBytes(v, project, stored)),
  };
}

/** The batch with the evidence about other artifacts that its questions ask for. */
export async function withOthers(
  v: Vouchsafe,
  project: ProjectId,
  batch: StoredBatch,
  others: readonly Digest[],
  below: number,
): Promise<StoredBatch> {
  const about = await attestationsAbout(v.database.kysely, project, others, below);
  const byArtifact = Map.groupBy(about, ({ artifact }) => artifact);
  const unread = about.filter(({ id }) => !batch.evidence.has(id));
  const read = await readBytes(v, project, unread, batch.bytes.length);
  return {
    ...batch,
    stored: [...batch.stored, ...unread],
    others: new Map([
      ...batch.others,
      ...others.map((digest) => [digest, (byArtifact.get(digest) ?? []).map(({ id }) => id)] as const),
    ]),
    evidence: new Map([...batch.evidence, ...read.evidence]),
    bytes: Buffer.concat([batch.bytes, read.bytes]),
  };
}

/** One blob: views of many would cross threads with all that lies beside them. Its places count from `start`. */
async function readBytes(
  v: Vouchsafe,
  project: ProjectId,
  stored: readonly AboutArtifact[],
  start = 0,
): Promise<Pick<SimulationBatch, "bytes" | "evidence">> {
  const ids = [...new Set(stored.map(({ id }) => id))];
  const recorded = ids.length === 0 ? [] : await readRecordedBytes(v.database.kysely, project, ids);
  let end = start;
  const place = (part: Uint8Array): Place => {
    const at = end;
    end += part.length;
    return { at, length: part.length };
  };
  const evidence = new Map(
    recorded.map(({ id, bytes, body }) => [id, { bytes: place(bytes), body: place(body) }]),
  );
  return { evidence, bytes: Buffer.concat(recorded.flatMap(({ bytes, body }) => [bytes, body])) };
}
