import { type LogEvent, PROJECT_CHAIN, type ProjectId } from "../custody/events.ts";
import type { LogHead } from "../custody/log-store.ts";
import { buildPack } from "../custody/pack.ts";
import { allReferences, type Reference, relatedIn } from "../custody/references.ts";
import { findEvidence, readDocument } from "../db/evidence.ts";
import { readChain, readHead, tileReader } from "../db/log.ts";
import { VouchsafeError } from "../errors.ts";
import { parseDigest } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { encodeBase64 } from "../tlog/base64.ts";
import { type Proof, proveInclusions } from "../tlog/proofs.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";

/**
 * The custody chain of an artifact: its events in order, each with the proof that it is in the log whose
 * checkpoint comes with them.
 *
 * @throws VouchsafeError `not-found` when nothing is recorded about it
 */
export async function readCustody(v: Vouchsafe, { project }: Caller, text: string) {
  const artifact = parseDigest(text);
  const head = await readHead(v.database.kysely);
  const events = await readArtifactChain(v, project, artifact, head);
  const proofs = await prove(v, events, head);
  return {
    artifact,
    origin: v.log.origin,
    treeSize: head.size,
    checkpoint: head.checkpoint,
    events: events.map(({ index, type, time, about, previous, salt, leaf, body }, i) => ({
      index,
      type,
      time: new Date(time).toISOString(),
      about,
      previous,
      salt: encodeBase64(salt),
      leaf: encodeBase64(leaf),
      body,
      inclusionProof: (proofs[i] ?? []).map(encodeBase64),
    })),
  };
}

/**
 * One file with all that is needed to check the artifact's chain again offline: its events, those of the artifacts that
 * its verdicts rest on and the project's wide events with proofs; the evidence, manifests, policies and trust that they name.
 *
 * @throws VouchsafeError `not-found` when nothing is recorded about it
 */
export async function exportPack(v: Vouchsafe, { project }: Caller, text: string): Promise<Uint8Array> {
  const artifact = parseDigest(text);
  const head = await readHead(v.database.kysely);
  const chain = await readArtifactChain(v, project, artifact, head);
  const others = await Promise.all(
    [PROJECT_CHAIN, ...relatedIn(artifact, chain)].map((key) =>
      readChain(v.database.kysely, project, key, { below: head.size }),
    ),
  );
  // An event can be of several of these chains.
  const byIndex = new Map([chain, ...others].flat().map((event) => [event.index, event]));
  const events = [...byIndex.values()].sort((a, b) => a.index - b.index);
  const proofs = await prove(v, events, head);

  const references = allReferences(artifact, events);
  const documents = await Promise.all(
    references
      .filter(({ case: kind }) => kind !== "evidence")
      .map(async (reference) =>
        present(await readDocument(v.database.kysely, project, reference.hash), reference),
      ),
  );
  const evidence = await Promise.all(
    references
      .filter(({ case: kind }) => kind === "evidence")
      .map(async (reference) =>
        present(await findEvidence(v.database.kysely, project, reference.hash), reference),
      ),
  );
  return buildPack({
    artifact,
    checkpoint: head.checkpoint,
    events: events.map((event, i) => ({ event, proof: proofs[i] ?? [] })),
    evidence,
    documents,
  });
}

async function readArtifactChain(
  v: Vouchsafe,
  project: ProjectId,
  artifact: Digest,
  { size }: LogHead,
): Promise<LogEvent[]> {
  const events = await readChain(v.database.kysely, project, artifact, { below: size });
  if (events.length === 0) throw new VouchsafeError("not-found", `Nothing is recorded about ${artifact}`);
  return events;
}

function prove(v: Vouchsafe, events: readonly LogEvent[], { size }: LogHead): Promise<Proof[]> {
  return proveInclusions(
    tileReader(v.database.kysely),
    events.map(({ index }) => index),
    size,
  );
}

function present<T>(stored: T | undefined, { case: kind, hash }: Reference): T {
  if (stored === undefined)
    throw new VouchsafeError("log-inconsistent", `The ${kind} ${hash} that the log names is not stored`);
  return stored;
}
