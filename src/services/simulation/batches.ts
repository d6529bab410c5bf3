import type { ProjectId } from "../../custody/events.ts";
import type { StoredAttestation } from "../../db/decision-inputs.ts";
import {
  artifactsNamedBy,
  attestationsFrom,
  readEvidenceBelow,
  readRecordedText,
} from "../../db/recorded-evidence.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Vouchsafe } from "../context.ts";
import { asManifestsSay } from "../verification/gather-evidence.ts";
import type { SimulationBatch } from "./simulate-batch.ts";

/** Attestations, and artifacts that they are about, gone through at once. */
const PAGE = { attestations: 256, artifacts: 512 };
/** Evidence of one batch, unless one artifact alone has more. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A batch, and all evidence that is in it as it is stored. */
export interface StoredBatch extends SimulationBatch {
  readonly stored: readonly StoredAttestation[];
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
    const { attestations, ...found } = await readEvidenceBelow(v.database.kysely, project, some, below);
    const manifests = await asManifestsSay(v, project, found.manifests);
    const fresh = [...attestations].filter(([, stored]) => stored.every(({ index }) => index >= from));
    for (const group of groupsOf(fresh)) {
      yield {
        ...(await readTexts(v, project, new Map(group))),
        artifacts: group.map(([digest, stored]) => ({ digest, attestations: idsOf(stored) })),
        others: new Map(),
        manifests,
        verified: new Map(),
      };
    }
  }
}

type About = readonly [Digest, readonly StoredAttestation[]];

function groupsOf(artifacts: readonly About[]): About[][] {
  const groups: About[][] = [];
  let known = new Set<Digest>();
  let bytes = MAX_BYTES;
  for (const about of artifacts) {
    const [, stored] = about;
    bytes += stored.reduce((sum, { id, size }) => (known.has(id) ? sum : sum + size), 0);
    const group = groups.at(-1);
    if (group === undefined || bytes > MAX_BYTES) {
      groups.push([about]);
      known = new Set();
      bytes = stored.reduce((sum, { size }) => sum + size, 0);
    } else group.push(about);
    for (const { id } of stored) known.add(id);
  }
  return groups;
}

/** The batch with what there is about other artifacts, which its questions ask for. */
export async function withOthers(
  v: Vouchsafe,
  project: ProjectId,
  batch: StoredBatch,
  others: readonly Digest[],
  below: number,
): Promise<StoredBatch> {
  if (others.length === 0) return batch;
  const { attestations, manifests } = await readEvidenceBelow(v.database.kysely, project, others, below);
  const read = await readTexts(v, project, attestations, batch);
  const ids = [...attestations].map(([digest, stored]) => [digest, idsOf(stored)] as const);
  return {
    ...batch,
    ...read,
    others: new Map([...batch.others, ...ids]),
    manifests: [...batch.manifests, ...(await asManifestsSay(v, project, manifests))],
  };
}

function idsOf(stored: readonly StoredAttestation[]): Digest[] {
  return stored.map(({ id }) => id);
}

type ReadTexts = Pick<StoredBatch, "stored" | "evidence">;

/** Reads the evidence that is not in the batch before, and adds it. */
async function readTexts(
  v: Vouchsafe,
  project: ProjectId,
  attestations: ReadonlyMap<Digest, readonly StoredAttestation[]>,
  before: ReadTexts = { stored: [], evidence: new Map() },
): Promise<ReadTexts> {
  const unread = [...attestations.values()].flat().filter(({ id }) => !before.evidence.has(id));
  const stored = new Map(unread.map((one) => [one.id, one]));
  const texts = await readRecordedText(v.database.kysely, project, [...stored.keys()]);
  return {
    stored: [...before.stored, ...stored.values()],
    evidence: new Map([...before.evidence, ...texts.map((text) => [text.id, text] as const)]),
  };
}
