import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../in-toto-attestation/index.ts";
import {
  type Material,
  PACK_FORMAT,
  type PackedEvent,
  type PackHeader,
  type PackRecord,
  RECORD_KINDS,
  type RecordKind,
} from "../pack.ts";
import { decodeProof } from "../receipt.ts";
import {
  attempt,
  bytesOf,
  digestOf,
  invalidLine,
  listOf,
  numberOf,
  parseLine,
  refuseOthers,
  textOf,
} from "./parse-line.ts";

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
  const material = parseMaterial(record, line);
  if (material !== undefined) return material;
  throw invalidLine(line, "neither event, nor evidence, nor policy, nor trust, nor manifest");
}

/** Evidence or a document; undefined for what has another name. */
export function parseMaterial(record: JsonObject, line: number): Material | undefined {
  if ("evidence" in record) return parseEvidence(record, line);
  for (const kind of ["policy", "trust", "manifest"] as const) {
    if (!(kind in record)) continue;
    refuseOthers(record, [kind, "bytes"], line);
    return { case: kind, hash: digestOf(record[kind], line), bytes: bytesOf(record.bytes, line) };
  }
  return undefined;
}

function parseEvidence(record: JsonObject, line: number): Material {
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
