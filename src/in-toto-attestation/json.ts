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

/**
 * Reads strict JSON (RFC 8259, with I-JSON's RFC 7493 §2 rules on UTF-8 and on unique member names).
 *
 * Signed bytes must mean one thing to every reader, so a duplicate member, a byte order mark, invalid UTF-8, a
 * lone surrogate, a number too large for a double or anything after the value is refused. Objects have no
 * prototype: `__proto__` and `constructor` are members like any other, and absent ones are undefined. Linear in
 * the input's size.
 *
 * Throws `AttestationFormatError`: `malformed-json`, `json-too-deep`, `body-too-large`.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = {}): JsonValue {
  const maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES;
  if (bytes.length > maxBytes) {
    throw new AttestationFormatError(
      "body-too-large",
      `JSON of ${bytes.length} bytes; at most ${maxBytes} are taken`,
    );
  }
  return new JsonReader(decodeUtf8(bytes), limits.maxDepth ?? DEFAULT_MAX_DEPTH).document();
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

const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// Text up to a quote, a backslash or a control character, which a string may not hold (RFC 8259 §7).
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that end the run
const PLAIN = /[^"\\\u0000-\u001f]*/y;

function parseString(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted);
  } catch {
    return undefined;
  }
}

/** Recursive descent over the text; a class because the position is the one thing every rule shares. */
class JsonReader {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  document(): JsonValue {
    const value = this.#value(0);
    this.#take(WHITESPACE);
    if (this.#at !== this.#text.length) throw this.#malformed("something follows the value");
    return value;
  }

  #value(depth: number): JsonValue {
    this.#take(WHITESPACE);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(this.#deeper(depth));
      case "[":
        return this.#array(this.#deeper(depth));
      case '"':
        return this.#string();
      case "t":
        return this.#literal("true", true);
      case "f":
        return this.#literal("false", false);
      case "n":
        return this.#literal("null", null);
      default:
        return this.#number();
    }
  }

  #deeper(depth: number): number {
    if (depth >= this.#maxDepth) {
      throw new AttestationFormatError(
        "json-too-deep",
        `JSON is nested deeper than ${this.#maxDepth} levels`,
      );
    }
    return depth + 1;
  }

  #object(depth: number): JsonObject {
    const object: Record<string, JsonValue> = Object.create(null);
    this.#at++;
    if (this.#accept("}")) return object;
    do {
      const name = this.#string();
      if (Object.hasOwn(object, name)) throw this.#malformed("an object has the same member twice");
      if (!this.#accept(":")) throw this.#malformed("a colon is missing");
      object[name] = this.#value(depth);
    } while (this.#accept(","));
    if (!this.#accept("}")) throw this.#malformed("an object is not closed");
    return object;
  }

  #array(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    this.#at++;
    if (this.#accept("]")) return array;
    do {
      array.push(this.#value(depth));
    } while (this.#accept(","));
    if (!this.#accept("]")) throw this.#malformed("an array is not closed");
    return array;
  }

  #string(): string {
    if (!this.#accept('"')) throw this.#malformed("a string is missing");
    const start = this.#at;
    const plain = this.#take(PLAIN);
    if (this.#text[this.#at] === '"') {
      this.#at++;
      return plain;
    }
    return this.#stringWithEscapes(start);
  }

  /** Finds where the string ends and leaves its escapes to the built-in reader, which is as strict as the RFC. */
  #stringWithEscapes(start: number): string {
    for (let next = this.#text[this.#at]; next !== '"'; next = this.#text[this.#at]) {
      if (next === undefined) throw this.#malformed("a string is not closed");
      this.#at += next === "\\" ? 2 : 1;
    }
    this.#at++;
    const value = parseString(this.#text.slice(start - 1, this.#at));
    if (value === undefined) throw this.#malformed("a string has a bad escape or a control character");
    if (!value.isWellFormed()) throw this.#malformed("a string holds a lone surrogate");
    return value;
  }

  #number(): number {
    const text = this.#take(NUMBER);
    if (text === "") throw this.#malformed("a value is missing");
    const value = Number(text);
    if (!Number.isFinite(value)) throw this.#malformed("a number is too large for a double");
    return value;
  }

  #literal<T extends JsonValue>(text: string, value: T): T {
    if (!this.#text.startsWith(text, this.#at)) throw this.#malformed("a value is misspelt");
    this.#at += text.length;
    return value;
  }

  /** Skips white space, then one expected character if it is there. */
  #accept(character: string): boolean {
    this.#take(WHITESPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** The longest match of a sticky pattern here, or "". */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += match.length;
    return match;
  }

  #malformed(what: string): AttestationFormatError {
    return new AttestationFormatError("malformed-json", `not strict JSON at character ${this.#at}: ${what}`);
  }
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
