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
import { decodeBase64 } from "../tlog/base64.ts";
import {
  MAX_LINE_BYTES,
  PACK_FORMAT,
  type PackedEvent,
  type PackHeader,
  type PackRecord,
  RECORD_KINDS,
  type RecordKind,
} from "./pack.ts";
import { decodeProof } from "./receipt.ts";

/*
 * Lines of a custody file, of exactly the form that pack.ts writes: known members only, every line canonical. Nothing in
 * them is believed yet. What has another form is `pack-invalid`, with the line's number.
 */

export function parseHeader(bytes: Uint8Array): PackHeader {
  const header = parseLine(bytes, 1);
  if (header.format !== PACK_FORMAT) throw invalidLine(1, `not a file of format ${PACK_FORMAT}`);
  refuseOthers(header, ["format", "artifact", "related", "checkpoint", "records"], 1);
  const artifact = digestOf(header.artifact, 1);
  const related = listOf(header.related, 1).map((digest) => digestOf(digest, 1));
  const places = [artifact, ...related.toSorted()];
  if (new Set(places).size !== places.length || related.some((digest, i) => digest !== places[i + 1]))
    throw invalidLine(1, "the related artifacts are not others, sorted");
  return { artifact, related, checkpoint: textOf(header.checkpoint, 1), records: countsOf(header.records) };
}

function countsOf(records: JsonValue | undefined): Record<RecordKind, number> {
  if (!isJsonObject(records ?? null)) throw invalidLine(1, "the records are not counted");
  const counts = records as JsonObject;
  refuseOthers(counts, RECORD_KINDS, 1);
  const [event, evidence, manifest, policy, trust] = RECORD_KINDS.map((kind) => numberOf(counts[kind], 1));
  return { event, evidence, manifest, policy, trust } as Record<RecordKind, number>;
}

export function parseRecord(bytes: Uint8Array, line: number): PackRecord {
  const record = parseLine(bytes, line);
  if ("event" in record) return parseEvent(record, line);
  if ("evidence" in record) return parseEvidence(record, line);
  for (const kind of ["policy", "trust", "manifest"] as const) {
    if (!(kind in record)) continue;
    refuseOthers(record, [kind, "bytes"], line);
    return { case: kind, hash: digestOf(record[kind], line), bytes: bytesOf(record.bytes, line) };
  }
  throw invalidLine(line, "neither event, nor evidence, nor policy, nor trust, nor manifest");
}

function parseEvidence(record: JsonObject, line: number): PackRecord {
  const isExpired = "expired" in record;
  refuseOthers(record, ["evidence", "mediaType", isExpired ? "expired" : "bytes"], line);
  const named = { hash: digestOf(record.evidence, line), mediaType: textOf(record.mediaType, line) };
  return isExpired
    ? { case: "expired", ...named, expired: numberOf(record.expired, line) }
    : { case: "evidence", ...named, bytes: bytesOf(record.bytes, line) };
}

function parseEvent(record: JsonObject, line: number): PackedEvent {
  refuseOthers(record, ["event", "leaf", "salt", "body", "proof"], line);
  const { body = null } = record;
  if (!isJsonObject(body)) throw invalidLine(line, "the body is not an object");
  const proof = listOf(record.proof, line).map((hash) => textOf(hash, line));
  return {
    case: "event",
    index: numberOf(record.event, line),
    leaf: bytesOf(record.leaf, line),
    salt: bytesOf(record.salt, line),
    body: Buffer.from(canonicalJson(body)),
    proof: attempt(line, () => decodeProof(proof)),
  };
}

function parseLine(bytes: Uint8Array, line: number): JsonObject {
  const value = attempt(line, () => parseJson(bytes, { maxBytes: MAX_LINE_BYTES }));
  if (!isJsonObject(value) || !Buffer.from(canonicalJson(value)).equals(bytes))
    throw invalidLine(line, "not a canonical JSON object");
  return value;
}

function refuseOthers(record: JsonObject, known: readonly string[], line: number): void {
  const other = Object.keys(record).find((name) => !known.includes(name));
  if (other !== undefined) throw invalidLine(line, `unknown member ${JSON.stringify(other)}`);
}

function textOf(value: JsonValue | undefined, line: number): string {
  if (typeof value !== "string") throw invalidLine(line, "a text is missing");
  return value;
}

function listOf(value: JsonValue | undefined, line: number): readonly JsonValue[] {
  if (!Array.isArray(value)) throw invalidLine(line, "a list is missing");
  return value;
}

function digestOf(value: JsonValue | undefined, line: number): Digest {
  return attempt(line, () => parseDigest(textOf(value, line)));
}

function numberOf(value: JsonValue | undefined, line: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalidLine(line, "an index or a count is missing");
}

function bytesOf(value: JsonValue | undefined, line: number): Uint8Array {
  const bytes = decodeBase64(textOf(value, line));
  if (bytes === undefined) throw invalidLine(line, "not base64");
  return bytes;
}

function attempt<T>(line: number, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw invalidLine(line, cause instanceof Error ? cause.message : "malformed", cause);
  }
}

/** `pack-invalid` for what stands in a line. */
export function invalidLine(line: number, message: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("pack-invalid", `Line ${line}: ${message}.`, { cause });
}
