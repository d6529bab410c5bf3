import { canonicalJson, isJsonObject } from "../in-toto-attestation/index.ts";
import { decodeFrontier } from "../tlog/frontier.ts";
import { HASH_BYTES } from "../tlog/hash.ts";
import { EXPORT_FORMAT, type ExportHeader } from "./log-export.ts";
import type { OpenedEvent } from "./open-event.ts";
import { parseMaterial } from "./pack/parse.ts";
import {
  attempt,
  bytesOf,
  invalidLine,
  listOf,
  numberOf,
  parseLine,
  refuseOthers,
  textOf,
} from "./pack/parse-line.ts";
import type { Material } from "./pack.ts";
import { decodeProof } from "./receipt.ts";

/*
 * Lines of an exported range, of exactly the form that log-export.ts writes. Nothing in them is believed yet. What has
 * another form is `pack-invalid`, with the line's number.
 */

export type ExportRecord =
  | Material
  | { readonly case: "entry"; readonly index: number; readonly leaf: Uint8Array }
  | ({ readonly case: "event" } & OpenedEvent);

export function parseExportHeader(bytes: Uint8Array): ExportHeader {
  const header = parseLine(bytes, 1);
  if (header.format !== EXPORT_FORMAT) throw invalidLine(1, `not a file of format ${EXPORT_FORMAT}`);
  refuseOthers(header, ["format", "from", "to", "project", "checkpoint", "peaks", "proof"], 1);
  const [from, to] = [numberOf(header.from, 1), numberOf(header.to, 1)];
  if (from > to) throw invalidLine(1, "the range ends before it begins");
  const peaks = listOf(header.peaks, 1).map((hash) => bytesOf(hash, 1));
  if (peaks.some(({ length }) => length !== HASH_BYTES)) throw invalidLine(1, "a peak is no hash");
  const proof = listOf(header.proof, 1).map((hash) => textOf(hash, 1));
  return {
    before: attempt(1, () => decodeFrontier(from, Buffer.concat(peaks))),
    to,
    project: header.project === null ? null : textOf(header.project, 1),
    checkpoint: textOf(header.checkpoint, 1),
    proof: attempt(1, () => decodeProof(proof)),
  };
}

export function parseExportRecord(bytes: Uint8Array, line: number): ExportRecord {
  const record = parseLine(bytes, line);
  if ("entry" in record) {
    refuseOthers(record, ["entry", "leaf"], line);
    return { case: "entry", index: numberOf(record.entry, line), leaf: bytesOf(record.leaf, line) };
  }
  if ("event" in record) {
    refuseOthers(record, ["event", "leaf", "salt", "body"], line);
    const { body = null } = record;
    if (!isJsonObject(body)) throw invalidLine(line, "the body is not an object");
    return {
      case: "event",
      index: numberOf(record.event, line),
      leaf: bytesOf(record.leaf, line),
      salt: bytesOf(record.salt, line),
      body: Buffer.from(canonicalJson(body)),
    };
  }
  const material = parseMaterial(record, line);
  if (material !== undefined) return material;
  throw invalidLine(line, "neither entry, nor event, nor what came with one");
}
