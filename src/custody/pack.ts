import { canonicalJson, type Digest, type JsonObject, parseJson } from "../in-toto-attestation/index.ts";
import { encodeBase64 } from "../tlog/base64.ts";
import type { Proof } from "../tlog/proofs.ts";
import { encodeBody } from "./body.ts";
import type { LogEvent } from "./events.ts";
import { referenceName } from "./references.ts";

/**
 * The custody file of one artifact (docs/log-format.md): JSON Lines, each line canonical, so that it can be
 * written and checked line by line and looked into with common tools. First the header, then the artifact's
 * events and the project's wide events in the order of the log, each after what it needs and no event before
 * it did: policies, trust, evidence, manifests. The same events give the same bytes.
 */
export const PACK_FORMAT = "vouchsafe-custody/v1";
export const PACK_MEDIA_TYPE = "application/vnd.vouchsafe.custody+jsonl";

/** The kinds of records, by the member that each has as its name. */
export const RECORD_KINDS = ["event", "evidence", "manifest", "policy", "trust"] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** What the file says first of itself. */
export interface PackHeader {
  readonly artifact: Digest;
  /** The other artifacts whose chains are in the file, because verdicts rest on them: sorted. */
  readonly related: readonly Digest[];
  /** The signed checkpoint that the proofs lead to. */
  readonly checkpoint: string;
  /** How many records of each kind follow: a file that breaks off has fewer. */
  readonly records: Readonly<Record<RecordKind, number>>;
}

export type PackRecord = PackedEvent | Material;

/** What an event rests on outside of the log. */
export type Material = PackedDocument | PackedEvidence | ExpiredEvidence;

export interface PackedEvent {
  readonly case: "event";
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly salt: Uint8Array;
  /** The body's canonical bytes. */
  readonly body: Uint8Array;
  readonly proof: Proof;
}

export interface PackedDocument {
  readonly case: "policy" | "trust" | "manifest";
  readonly hash: Digest;
  readonly bytes: Uint8Array;
}

export interface PackedEvidence {
  readonly case: "evidence";
  readonly hash: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** Evidence whose bytes retention has deleted. */
export interface ExpiredEvidence {
  readonly case: "expired";
  readonly hash: Digest;
  readonly mediaType: string;
  /** The index of the `evidence.expired` event that says so. */
  readonly expired: number;
}

/** More than any line that we write: evidence of the largest upload, in base64. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

export function kindOf(record: PackRecord): RecordKind {
  return record.case === "expired" ? "evidence" : record.case;
}

/** What a record is, and of which there can be one in a file. */
export function recordName(record: Material): string {
  const { hash } = record;
  return referenceName({ case: record.case === "expired" ? "evidence" : record.case, hash });
}

/** The file's first line, with its newline. */
export function writeHeader({ artifact, related, checkpoint, records }: PackHeader): Uint8Array {
  return writeLine({ format: PACK_FORMAT, artifact, related, checkpoint, records });
}

/** The line of a record that is no event. */
export function writeRecord(record: Material): Uint8Array {
  switch (record.case) {
    case "expired":
      return writeLine({ evidence: record.hash, mediaType: record.mediaType, expired: record.expired });
    case "evidence":
      return writeLine({
        evidence: record.hash,
        mediaType: record.mediaType,
        bytes: encodeBase64(record.bytes),
      });
    default:
      return writeLine({ [record.case]: record.hash, bytes: encodeBase64(record.bytes) });
  }
}

export function writeEvent(event: LogEvent, proof: Proof): Uint8Array {
  return writeLine({
    event: event.index,
    leaf: encodeBase64(event.leaf),
    salt: encodeBase64(event.salt),
    body: parseJson(encodeBody(event)),
    proof: proof.map(encodeBase64),
  });
}

/** A line of a file of JSON Lines, with its newline. */
export function writeLine(line: JsonObject): Uint8Array {
  return Buffer.from(`${canonicalJson(line)}\n`);
}
