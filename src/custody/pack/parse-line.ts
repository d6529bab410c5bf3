import { VouchsafeError } from "../../errors.ts";
import {
  canonicalJson,
  type Digest,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseDigest,
  parseJson,
} from "../../in-toto-attestation/index.ts";
import { decodeBase64 } from "../../tlog/base64.ts";
import { isTreeSize } from "../../tlog/subtrees.ts";
import { MAX_LINE_BYTES } from "../pack.ts";

/*
 * What files of JSON Lines are read with: every line is a canonical object and has known members only. What has another
 * form is `pack-invalid`, with the line's number.
 */

export function parseLine(bytes: Uint8Array, line: number): JsonObject {
  const value = attempt(line, () => parseJson(bytes, { maxBytes: MAX_LINE_BYTES }));
  if (!isJsonObject(value) || !Buffer.from(canonicalJson(value)).equals(bytes))
    throw invalidLine(line, "not a canonical JSON object");
  return value;
}

export function refuseOthers(record: JsonObject, known: readonly string[], line: number): void {
  const other = Object.keys(record).find((name) => !known.includes(name));
  if (other !== undefined) throw invalidLine(line, `unknown member ${JSON.stringify(other)}`);
}

export function textOf(value: JsonValue | undefined, line: number): string {
  if (typeof value !== "string") throw invalidLine(line, "a text is missing");
  return value;
}

export function listOf(value: JsonValue | undefined, line: number): readonly JsonValue[] {
  if (!Array.isArray(value)) throw invalidLine(line, "a list is missing");
  return value;
}

export function digestOf(value: JsonValue | undefined, line: number): Digest {
  return attempt(line, () => parseDigest(textOf(value, line)));
}

export function numberOf(value: JsonValue | undefined, line: number): number {
  if (isTreeSize(value)) return value;
  throw invalidLine(line, "an index or a count is missing");
}

export function bytesOf(value: JsonValue | undefined, line: number): Uint8Array {
  const bytes = decodeBase64(textOf(value, line));
  if (bytes === undefined) throw invalidLine(line, "not base64");
  return bytes;
}

export function attempt<T>(line: number, parse: () => T): T {
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
