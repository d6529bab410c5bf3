import { VouchsafeError } from "../errors.ts";
import { decodeBase64 } from "../in-toto-attestation/base64.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../in-toto-attestation/index.ts";
import { ALWAYS, parseTime, type TimeRange } from "./time-range.ts";

// How a trust document's members are read. `where` names the place in errors, e.g. `sigstore[0].trustedRoot`.

/** The value as an object with none but these members. */
export function objectAt(value: JsonValue | undefined, where: string, known: readonly string[]): JsonObject {
  if (!isJsonObject(value)) throw invalid(`${where} is not an object`);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`${where} has an unknown member ${JSON.stringify(unknown)}`);
  return value;
}

/** The value as an array of at most `most` items; an absent one is empty. */
export function arrayAt(value: JsonValue | undefined, where: string, most: number): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${where} is not an array`);
  if (value.length > most) throw invalid(`${where} has more than ${most} items`);
  return value;
}

export function stringAt(value: JsonValue | undefined, where: string): string {
  if (typeof value !== "string" || value === "") throw invalid(`${where} is not a string`);
  return value;
}

/** A URL whose scheme may be left out, as trusted roots do at times; undefined for any other text. */
export function addressOf(text: string): URL | undefined {
  return URL.parse(text.includes("://") ? text : `https://${text}`) ?? undefined;
}

export function bytesAt(value: JsonValue | undefined, where: string): Uint8Array {
  const bytes = decodeBase64(stringAt(value, where));
  if (bytes === undefined || bytes.length === 0) throw invalid(`${where} is not base64`);
  return bytes;
}

/** A protobuf TimeRange with its start. An absent end means "until further notice". */
export function timeRangeAt(value: JsonValue | undefined, where: string): TimeRange {
  const { start, end } = openTimeRangeAt(value, where);
  if (start === ALWAYS.start) throw invalid(`${where}.start is missing`);
  return { start, end };
}

/** A protobuf TimeRange, open at an end that is absent or null. */
export function openTimeRangeAt(value: JsonValue | undefined, where: string): TimeRange {
  const { start, end } = objectAt(value, where, ["start", "end"]);
  const range = {
    start: start === undefined || start === null ? ALWAYS.start : timeAt(start, `${where}.start`),
    end: end === undefined || end === null ? ALWAYS.end : timeAt(end, `${where}.end`),
  };
  if (range.end < range.start) throw invalid(`${where} ends before it starts`);
  return range;
}

function timeAt(value: JsonValue | undefined, where: string): number {
  const time = typeof value === "string" ? parseTime(value) : undefined;
  if (time === undefined) throw invalid(`${where} is not an RFC 3339 time`);
  return time;
}

/** The members validFrom and validUntil, each open where it is absent. */
export function rangeBetween(
  from: JsonValue | undefined,
  until: JsonValue | undefined,
  where: string,
): TimeRange {
  const range = {
    start: from === undefined ? ALWAYS.start : timeAt(from, `${where}.validFrom`),
    end: until === undefined ? ALWAYS.end : timeAt(until, `${where}.validUntil`),
  };
  if (range.end < range.start) throw invalid(`${where} ends before it starts`);
  return range;
}

const MAX_THRESHOLD = 8;

/** How many pieces of evidence are asked for: `least` unless the document asks for more. */
export function thresholdAt(value: JsonValue | undefined, where: string, least: number): number {
  const wanted = value ?? least;
  if (typeof wanted !== "number" || !Number.isInteger(wanted) || wanted < least || wanted > MAX_THRESHOLD) {
    throw invalid(`${where} is not a whole number from ${least} to ${MAX_THRESHOLD}`);
  }
  return wanted;
}

export function invalid(message: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("invalid-trust", message, cause === undefined ? {} : { cause });
}
