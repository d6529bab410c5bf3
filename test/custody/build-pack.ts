import type { LogEvent } from "../../src/custody/events.ts";
import type { Document, Evidence } from "../../src/custody/log-store.ts";
import {
  type ExpiredEvidence,
  type PackedDocument,
  type PackedEvidence,
  writeEvent,
  writeHeader,
  writeRecord,
} from "../../src/custody/pack.ts";
import { createNeeds, referenceName, relatedBy } from "../../src/custody/references.ts";
import type { Digest } from "../../src/in-toto-attestation/index.ts";
import type { Proof } from "../../src/tlog/proofs.ts";

/** What a custody file is made of, to be altered before it is written. */
export interface PackInput {
  readonly artifact: Digest;
  readonly checkpoint: string;
  readonly events: readonly { readonly event: LogEvent; readonly proof: Proof }[];
  /** At least those that the events need. */
  readonly evidence: readonly (Evidence | ExpiredEvidence)[];
  readonly documents: readonly Document[];
}

/** The custody file, written as the server writes it. */
export function buildPack({ artifact, checkpoint, events, evidence, documents }: PackInput): Uint8Array {
  const stored = new Map<string, PackedDocument | PackedEvidence | ExpiredEvidence>();
  for (const { hash, kind, bytes } of documents)
    stored.set(`${kind} ${hash}`, { case: kind, hash: hash as Digest, bytes });
  for (const one of evidence) {
    if ("case" in one) stored.set(`evidence ${one.hash}`, one);
    else stored.set(`evidence ${one.id}`, { ...one, case: "evidence", hash: one.id });
  }
  const related = [...new Set(events.flatMap(({ event }) => relatedBy(artifact, event)))].sort();
  const needs = createNeeds(artifact, related);
  const records = { event: 0, evidence: 0, manifest: 0, policy: 0, trust: 0 };
  const lines: Uint8Array[] = [];
  for (const { event, proof } of events) {
    for (const reference of needs(event)) {
      const record = stored.get(referenceName(reference));
      if (record === undefined) throw new TypeError(`no ${referenceName(reference)}`);
      records[reference.case] += 1;
      lines.push(writeRecord(record));
    }
    records.event += 1;
    lines.push(writeEvent(event, proof));
  }
  return Buffer.concat([writeHeader({ artifact, related, checkpoint, records }), ...lines]);
}
