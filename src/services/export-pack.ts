import { PROJECT_CHAIN } from "../custody/events.ts";
import { buildPack } from "../custody/pack.ts";
import { allReferences, type Reference, relatedIn } from "../custody/references.ts";
import { findEvidence, readDocument } from "../db/evidence.ts";
import { readChain, readHead, tileReader } from "../db/log.ts";
import { VouchsafeError } from "../errors.ts";
import { parseDigest } from "../in-toto-attestation/digest.ts";
import { proveInclusions } from "../tlog/proofs.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";

/**
 * One file with all that is needed to check the artifact's chain again offline: its events, those of the artifacts that
 * its verdicts rest on and the project's wide events with proofs; the evidence, manifests, policies and trust that they name.
 *
 * @throws VouchsafeError `not-found` when nothing is recorded about it
 */
export async function exportPack(v: Vouchsafe, { project }: Caller, text: string): Promise<Uint8Array> {
  const artifact = parseDigest(text);
  const head = await readHead(v.database.kysely);
  const chain = await readChain(v.database.kysely, project, artifact, { below: head.size });
  if (chain.length === 0) throw new VouchsafeError("not-found", `Nothing is recorded about ${artifact}`);
  const others = await Promise.all(
    [PROJECT_CHAIN, ...relatedIn(artifact, chain)].map((key) =>
      readChain(v.database.kysely, project, key, { below: head.size }),
    ),
  );
  // An event can be of several of these chains.
  const byIndex = new Map([chain, ...others].flat().map((event) => [event.index, event]));
  const events = [...byIndex.values()].sort((a, b) => a.index - b.index);
  const proofs = await proveInclusions(
    tileReader(v.database.kysely),
    events.map(({ index }) => index),
    head.size,
  );

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

function present<T>(stored: T | undefined, { case: kind, hash }: Reference): T {
  if (stored === undefined)
    throw new VouchsafeError("log-inconsistent", `The ${kind} ${hash} that the log names is not stored`);
  return stored;
}
