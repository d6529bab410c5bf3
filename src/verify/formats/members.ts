import { VouchsafeError } from "../../errors.ts";
import { decodeEitherBase64 } from "../../in-toto-attestation/base64.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../in-toto-attestation/index.ts";

// How evidence's members are read. `what` names the place in errors, which are all `malformed-bundle`.

/** The value as an object with none but these members. */
export function known(value: JsonValue | undefined, what: string, members: ReadonlySet<string>): JsonObject {
  if (!isJsonObject(value)) throw malformed(`${what} is not an object`);
  for (const name in value) if (!members.has(name)) throw malformed(`${what} has an unknown member`);
  return value;
}

/** Protobuf's JSON leaves out what is absent, or writes null for it. */
export function isAbsent(value: JsonValue | undefined): value is null | undefined {
  return value === undefined || value === null;
}

/** The value as an array of at most `most` items; an absent one is empty. */
export function items(value: JsonValue | undefined, what: string, most: number): readonly JsonValue[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) throw malformed(`${what} is not an array`);
  if (value.length > most) throw malformed(`${what} has more than ${most} items`);
  return value;
}

/**
 * Refuses a list that holds the same thing twice, as Sigstore's clients do: the second says nothing more, and stands there
 * to be counted. `nameOf` tells what is the same.
 */
export function distinct<Item>(
  list: readonly Item[],
  what: string,
  nameOf: (item: Item) => string,
): readonly Item[] {
  const repeats = list.length > 1 && new Set(list.map(nameOf)).size < list.length;
  if (repeats) throw malformed(`${what} has an item twice`);
  return list;
}

export function distinctTimestamps(list: readonly Uint8Array[], what: string): readonly Uint8Array[] {
  return distinct(list, what, (bytes) => Buffer.from(bytes).toString("latin1"));
}

export function text(value: JsonValue | undefined, what: string): string {
  if (typeof value !== "string" || value === "") throw malformed(`${what} is not a string`);
  return value;
}

/** Protobuf's JSON takes both alphabets, and a `bytes` member may not be empty here. */
export function base64(value: JsonValue | undefined, what: string): Uint8Array {
  const bytes = typeof value === "string" ? decodeEitherBase64(value) : undefined;
  if (bytes === undefined || bytes.length === 0) throw malformed(`${what} is not base64`);
  return bytes;
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * Protobuf's JSON writes int64 as a string of digits and may leave zero out, as for the first entry of a log;
 * nothing here is negative or beyond 2^53.
 */
export function decimal(value: JsonValue | undefined, what: string): number {
  if (isAbsent(value)) return 0;
  const number = typeof value === "string" && DECIMAL.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw malformed(`${what} is not a whole number`);
  return number;
}

export function malformed(what: string): VouchsafeError {
  return new VouchsafeError("malformed-bundle", `the evidence is malformed: ${what}`);
}
