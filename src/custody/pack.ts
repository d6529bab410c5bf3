import { VouchsafeError } from "../errors.ts";
import {
  canonicalJson,
  type Digest,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseDigest,
  parseJson,
} from "../in-toto-attestation/index.ts";
import { decodeBase64, encodeBase64 } from "../tlog/base64.ts";
import type { Proof } from "../tlog/proofs.ts";
import { encodeBody } from "./body.ts";
import type { LogEvent } from "./events.ts";
import type { Document, Evidence } from "./log-store.ts";
import { decodeProof } from "./receipt.ts";
import { newReferences, referenceName } from "./references.ts";

/**
 * The custody file of one artifact (docs/log-format.md): JSON Lines, each line canonical, so that it can be
 * written and checked line by line and looked into with common tools. First the header, then the artifact's
 * events and the project's wide events in the order of the log, each after what it needs and no event before
 * it did: policies, trust, evidence, manifests. The same events give the same bytes.
 */
export const PACK_FORMAT = "vouchsafe-custody/v1";
export const PACK_MEDIA_TYPE = "application/vnd.vouchsafe.custody+jsonl";

export interface PackInput {
  readonly artifact: Digest;
  /** The signed checkpoint that the proofs lead to. */
  readonly checkpoint: string;
  /** The artifact's chain and the project's wide chain, together in the order of the log. */
  readonly events: readonly { readonly event: LogEvent; readonly proof: Proof }[];
  /** At least those that `allReferences` of the events names. */
  readonly evidence: readonly (Evidence | Omit<ExpiredEvidence, "case">)[];
  readonly documents: readonly Document[];
}

/** A custody file taken apart. Nothing in it is believed yet. */
export interface Pack {
  readonly artifact: Digest;
  readonly checkpoint: string;
  readonly records: readonly PackRecord[];
}

export type PackRecord = PackedEvent | PackedDocument | PackedEvidence | ExpiredEvidence;

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

/** What a record is, and of which there can be one in a file. */
export function recordName(record: PackRecord): string {
  if (record.case === "event") return `event ${record.index}`;
  return referenceName({ ...record, case: record.case === "expired" ? "evidence" : record.case });
}

/** More than any line that we write: evidence of the largest upload, in base64. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Writes the custody file. Throws `log-inconsistent` when something that an event needs was not given. */
export function buildPack({ artifact, checkpoint, events, evidence, documents }: PackInput): Uint8Array {
  const stored = new Map<string, JsonObject>();
  for (const { hash, kind, bytes } of documents)
    stored.set(`${kind} ${hash}`, { [kind]: hash, bytes: encodeBase64(bytes) });
  for (const one of evidence) {
    const { mediaType } = one;
    const id = "hash" in one ? one.hash : one.id;
    const rest = "expired" in one ? { expired: one.expired } : { bytes: encodeBase64(one.bytes) };
    stored.set(`evidence ${id}`, { evidence: id, mediaType, ...rest });
  }

  const needed = newReferences(
    artifact,
    events.map(({ event }) => event),
  );
  const lines: JsonObject[] = [{ format: PACK_FORMAT, artifact, checkpoint }];
  for (const [i, { event, proof }] of events.entries()) {
    for (const name of (needed[i] ?? []).map(referenceName)) {
      const record = stored.get(name);
      if (record === undefined) {
        throw new VouchsafeError(
          "log-inconsistent",
          `The ${name} that event ${event.index} names is not stored.`,
        );
      }
      lines.push(record);
    }
    lines.push(eventLine(event, proof));
  }
  // Each by itself: together they may be longer than a text can be.
  return Buffer.concat(lines.map((line) => Buffer.from(`${canonicalJson(line)}\n`)));
}

function eventLine(event: LogEvent, proof: Proof): JsonObject {
  return {
    event: event.index,
    leaf: encodeBase64(event.leaf),
    salt: encodeBase64(event.salt),
    body: parseJson(encodeBody(event)),
    proof: proof.map(encodeBase64),
  };
}

/**
 * Reads a custody file of exactly the form that `buildPack` writes: known members only, every line canonical.
 * Throws `pack-invalid`, with the line.
 */
export function parsePack(bytes: Uint8Array): Pack {
  const [header, ...records] = splitLines(bytes);
  if (header === undefined) throw invalid(1, "the file is empty");
  const { artifact, checkpoint } = parseHeader(header);
  return { artifact, checkpoint, records: records.map((line, i) => parseRecord(line, i + 2)) };
}

function splitLines(bytes: Uint8Array): JsonObject[] {
  const lines: JsonObject[] = [];
  for (let begin = 0; begin < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, begin);
    if (end === -1) throw invalid(lines.length + 1, "the file breaks off");
    lines.push(parseLine(bytes.subarray(begin, end), lines.length + 1));
    begin = end + 1;
  }
  return lines;
}

function parseLine(bytes: Uint8Array, line: number): JsonObject {
  const value = attempt(line, () => parseJson(bytes, { maxBytes: MAX_LINE_BYTES }));
  if (!isJsonObject(value) || !Buffer.from(canonicalJson(value)).equals(bytes)) {
    throw invalid(line, "not a canonical JSON object");
  }
  return value;
}

function parseHeader(header: JsonObject): { artifact: Digest; checkpoint: string } {
  if (header.format !== PACK_FORMAT) throw invalid(1, `not a file of format ${PACK_FORMAT}`);
  refuseOthers(header, ["format", "artifact", "checkpoint"], 1);
  return {
    artifact: attempt(1, () => parseDigest(textOf(header.artifact, 1))),
    checkpoint: textOf(header.checkpoint, 1),
  };
}

function parseRecord(record: JsonObject, line: number): PackRecord {
  if ("event" in record) return parseEvent(record, line);
  if ("evidence" in record) {
    const mediaType = textOf(record.mediaType, line);
    if ("expired" in record) {
      refuseOthers(record, ["evidence", "mediaType", "expired"], line);
      const expired = indexOf(record.expired, line);
      return { case: "expired", hash: digestOf(record.evidence, line), mediaType, expired };
    }
    refuseOthers(record, ["evidence", "mediaType", "bytes"], line);
    return { case: "evidence", mediaType, ...parseStored(record.evidence, record.bytes, line) };
  }
  for (const kind of ["policy", "trust", "manifest"] as const) {
    if (!(kind in record)) continue;
    refuseOthers(record, [kind, "bytes"], line);
    return { case: kind, ...parseStored(record[kind], record.bytes, line) };
  }
  throw invalid(line, "neither event, nor evidence, nor policy, nor trust, nor manifest");
}

function parseStored(hash: JsonValue | undefined, bytes: JsonValue | undefined, line: number) {
  return { hash: digestOf(hash, line), bytes: bytesOf(bytes, line) };
}

function parseEvent(record: JsonObject, line: number): PackedEvent {
  refuseOthers(record, ["event", "leaf", "salt", "body", "proof"], line);
  const { body, proof } = record;
  if (!isJsonObject(body)) throw invalid(line, "the body is not an object");
  if (!Array.isArray(proof)) throw invalid(line, "the proof is not a list");
  return {
    case: "event",
    index: indexOf(record.event, line),
    leaf: bytesOf(record.leaf, line),
    salt: bytesOf(record.salt, line),
    body: Buffer.from(canonicalJson(body)),
    proof: attempt(line, () => decodeProof(proof.map((hash) => textOf(hash, line)))),
  };
}

function refuseOthers(record: JsonObject, known: readonly string[], line: number): void {
  const other = Object.keys(record).find((name) => !known.includes(name));
  if (other !== undefined) throw invalid(line, `unknown member ${JSON.stringify(other)}`);
}

function textOf(value: JsonValue | undefined, line: number): string {
  if (typeof value !== "string") throw invalid(line, "a text is missing");
  return value;
}

function digestOf(value: JsonValue | undefined, line: number): Digest {
  return attempt(line, () => parseDigest(textOf(value, line)));
}

function indexOf(value: JsonValue | undefined, line: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(line, "not an index");
}

function bytesOf(value: JsonValue | undefined, line: number): Uint8Array {
  const bytes = decodeBase64(textOf(value, line));
  if (bytes === undefined) throw invalid(line, "not base64");
  return bytes;
}

function attempt<T>(line: number, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw invalid(line, cause instanceof Error ? cause.message : "malformed", cause);
  }
}

function invalid(line: number, message: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("pack-invalid", `Line ${line}: ${message}.`, { cause });
}
