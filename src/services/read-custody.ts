import type { LogEvent, ProjectId } from "../custody/events.ts";
import type { LogHead } from "../custody/log-store.ts";
import { readChain, readHead, tileReader } from "../db/log.ts";
import { VouchsafeError } from "../errors.ts";
import { parseDigest } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { encodeBase64 } from "../tlog/base64.ts";
import { type Proof, proveInclusions } from "../tlog/proofs.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";
import { eventJson } from "./event-json.ts";

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
    events: events.map((event, i) => ({
      ...eventJson(event),
      inclusionProof: (proofs[i] ?? []).map(encodeBase64),
    })),
  };
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
