import { AttestationFormatError } from "./errors.ts";
import type { JsonObject, JsonValue } from "./types.ts";

export interface JsonLimits {
  /** Largest input in bytes. Default: 16 MiB. */
  readonly maxBytes?: number;
  /** Deepest nesting of arrays and objects. Default: 64. */
  readonly maxDepth?: number;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
const DEFAULT_MAX_DEPTH = 64;
/** Of all kinds. Far beyond any bill of materials of the largest size that is taken; each value costs a microsecond. */
const MAX_VALUES = 500_000;

/**
 * Reads strict JSON (RFC 8259, with I-JSON's RFC 7493 §2 rules on UTF-8 and on unique member names).
 *
 * Signed bytes must mean one thing to every reader, so a duplicate member, a byte order mark, invalid UTF-8, a
 * lone surrogate, a number too large for a double or anything after the value is refused. Objects have no
 * prototype: `__proto__` and `constructor` are members like any other, and absent ones are undefined. Linear in
 * the input's size.
 *
 * Throws `AttestationFormatError`: `malformed-json`, `json-too-deep`, `too-many-items`, `body-too-large`.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = {}): JsonValue {
  const maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES;
  if (bytes.length > maxBytes) {
    throw new AttestationFormatError(
      "body-too-large",
      `JSON of ${bytes.length} bytes; at most ${maxBytes} are taken`,
    );
  }
  const text = decodeUtf8(bytes);
  const members = countMembers(text, limits.maxDepth ?? DEFAULT_MAX_DEPTH);
  const value = parse(text);
  // Only an escape can spell a surrogate alone: UTF-8 has none.
  if (disinherit(value, text.includes("\\u")) !== members)
    throw malformed("an object has the same member twice");
  return value;
}

/** `ignoreBOM` keeps a byte order mark in the text, where the grammar then refuses it. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new AttestationFormatError("malformed-json", "JSON is not valid UTF-8", { cause });
  }
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/**
 * Walks over the text's punctuation: strings, which are most of it, are skipped as a whole. Refuses what is nested
 * too deeply, or holds too much, before anything is built of it, and counts the members of objects, each as often as it is written.
 */
function countMembers(text: string, maxDepth: number): number {
  let depth = 0;
  let members = 0;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case COLON:
        members += 1;
        break;
      case COMMA:
        values += 1;
        break;
      case 0x7b:
      case 0x5b:
        // For the first value in it; that counts one with nothing in it twice.
        values += 1;
        depth += 1;
        if (depth > maxDepth) {
          throw new AttestationFormatError("json-too-deep", `JSON is nested deeper than ${maxDepth} levels`);
        }
        break;
      case 0x7d:
      case 0x5d:
        depth -= 1;
    }
  }
  if (values > MAX_VALUES) {
    throw new AttestationFormatError("too-many-items", `JSON holds more than ${MAX_VALUES} values`);
  }
  return members;
}

/** The place of the quote that closes the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  if (end === -1) throw malformed("a string is not closed");
  return end;
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

/** The built-in reader is as strict as RFC 8259; what I-JSON asks beyond it is seen to around it. */
function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const what = text.trim() === "" ? "not strict JSON: it is empty" : "not strict JSON";
    throw new AttestationFormatError("malformed-json", what, { cause });
  }
}

/**
 * Takes their prototype from all objects of a value, so that no member is there but the value's own, and returns
 * how many members there are.
 */
function disinherit(value: JsonValue, checkText: boolean): number {
  if (typeof value === "string") {
    if (checkText && !value.isWellFormed()) throw malformed("a string holds a lone surrogate");
    return 0;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw malformed("a number is too large for a double");
    return 0;
  }
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (isArray(value)) {
    for (const item of value) members += disinherit(item, checkText);
    return members;
  }
  Object.setPrototypeOf(value, null);
  for (const name in value) {
    if (checkText && !name.isWellFormed()) throw malformed("a string holds a lone surrogate");
    members += 1 + disinherit(value[name] as JsonValue, checkText);
  }
  return members;
}

function malformed(what: string): AttestationFormatError {
  return new AttestationFormatError("malformed-json", `not strict JSON: ${what}`);
}

/**
 * JSON Canonicalization Scheme (RFC 8785): the one text of a value, so that its hash names the value.
 *
 * Numbers as ECMAScript prints them, members sorted by UTF-16 code units, no white space. Throws
 * `AttestationFormatError` (`malformed-json`) for what JSON or I-JSON cannot hold: lone surrogates, NaN and
 * infinities, undefined members.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === "string") return canonicalString(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value))
      throw new AttestationFormatError("malformed-json", `JSON has no number ${value}`);
    return JSON.stringify(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isJsonObject(value)) throw new AttestationFormatError("malformed-json", `JSON has no ${typeof value}`);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${canonicalString(name)}:${canonicalJson(value[name] as JsonValue)}`);
  return `{${members.join(",")}}`;
}

function canonicalString(value: string): string {
  if (!value.isWellFormed())
    throw new AttestationFormatError("malformed-json", "a string holds a lone surrogate");
  return JSON.stringify(value);
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
