import { hash } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  parseDigest,
  parseJson,
} from "../in-toto-attestation/index.ts";
import { type ChainKey, PROJECT_CHAIN } from "./events.ts";

/** What an event says, and which chains it joins: read by those who are authorised to, bound by its leaf. */
export interface Body {
  /** The chains that the event joins, without repeats, in the order of its leaf's links. */
  readonly about: readonly ChainKey[];
  readonly body: JsonObject;
}

/** Random bytes hashed before each body, so that a leaf gives nothing away to one who guesses bodies. */
export const SALT_BYTES = 32;

/** The bytes of a body: RFC 8785 JSON with `about` among its members. Throws `RangeError` for a body of ours that has none. */
export function encodeBody({ about, body }: Body): Uint8Array {
  if (Object.hasOwn(body, "about")) throw new RangeError("a body has no member `about` of its own");
  if (new Set(about).size !== about.length) throw new RangeError("an event joins a chain once");
  return Buffer.from(canonicalJson({ ...body, about }));
}

/** What stands in the leaf for a body: `SHA-256(salt ‖ bytes)`. */
export function bodyHash(salt: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (salt.length !== SALT_BYTES) throw new RangeError(`a salt has ${SALT_BYTES} bytes`);
  return hash("sha256", Buffer.concat([salt, bytes]), "buffer");
}

/** Reads exactly what `encodeBody` writes. Throws `malformed-leaf`. */
export function decodeBody(bytes: Uint8Array): Body {
  try {
    const value = parseJson(bytes);
    if (isJsonObject(value) && canonicalJson(value) === Buffer.from(bytes).toString())
      return splitAbout(value);
  } catch (cause) {
    throw new VouchsafeError("malformed-leaf", "An event's body is not the JSON of one.", { cause });
  }
  throw new VouchsafeError("malformed-leaf", "An event's body is not canonical JSON.");
}

function splitAbout({ about, ...body }: JsonObject): Body {
  if (!Array.isArray(about)) throw new RangeError("no `about`");
  const keys = about.map(
    (key): ChainKey => (key === PROJECT_CHAIN ? PROJECT_CHAIN : parseDigest(String(key))),
  );
  if (new Set(keys).size !== keys.length) throw new RangeError("an event joins a chain once");
  return { about: keys, body };
}
