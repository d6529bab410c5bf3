import { VouchsafeError } from "../errors.ts";
import {
  type Digest,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseDigest,
} from "../in-toto-attestation/index.ts";
import { type Components, EXECUTABLE } from "../policy/components.ts";

// Members of events' bodies, read back from the log. Each throws `malformed-leaf` when the body has no such member.

export function textIn(body: JsonObject, name: string): string {
  const value = body[name];
  if (typeof value !== "string") throw missing(name);
  return value;
}

export function digestIn(body: JsonObject, name: string): Digest {
  try {
    return parseDigest(textIn(body, name));
  } catch (cause) {
    throw missing(name, cause);
  }
}

/** An RFC 3339 time as bodies have it, in milliseconds since the epoch. */
export function timeIn(body: JsonObject, name: string): number {
  const value = textIn(body, name);
  const time = Date.parse(value);
  if (Number.isNaN(time) || new Date(time).toISOString() !== value) throw missing(name);
  return time;
}

export function listIn(body: JsonObject, name: string): readonly JsonValue[] {
  const value = body[name];
  if (!Array.isArray(value)) throw missing(name);
  return value;
}

/** The other artifacts that a verdict rests on: none where its body names none. */
export function restsOnIn(body: JsonObject): readonly Digest[] {
  if (body.restsOn === undefined) return [];
  return digestsIn(body, "restsOn");
}

export function textsIn(body: JsonObject, name: string): readonly string[] {
  return listIn(body, name).map((item) => {
    if (typeof item !== "string") throw missing(name);
    return item;
  });
}

/**
 * What was attested of what runs, in the body of a grant: those written before components were told apart name the
 * digests of executables.
 */
export function componentsIn(body: JsonObject): Components {
  const { components } = body;
  if (components === undefined) return new Map([[EXECUTABLE, digestsIn(body, "digests")]]);
  if (!isJsonObject(components)) throw missing("components");
  return new Map(Object.keys(components).map((name) => [name, digestsIn(components, name)]));
}

function digestsIn(body: JsonObject, name: string): Digest[] {
  try {
    return textsIn(body, name).map(parseDigest);
  } catch (cause) {
    throw missing(name, cause);
  }
}

function missing(name: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("malformed-leaf", `The event's body has no readable "${name}".`, { cause });
}
