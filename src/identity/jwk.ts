import { createPublicKey, hash, type JsonWebKey, type KeyObject } from "node:crypto";
import { DerError } from "../der/reader.ts";
import type { JsonObject } from "../in-toto-attestation/index.ts";
import { readPublicKey } from "../x509/public-keys.ts";

/** Members of a public key by its `kty`, those that RFC 7638 §3.2 hashes, in its order. */
const MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["EC", ["crv", "kty", "x", "y"]],
  ["RSA", ["e", "kty", "n"]],
]);

/** Members that only private and symmetric keys have (RFC 7518 §6). */
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** A public key as a JWK: none but its RFC 7638 members. */
export function exportJwk(key: KeyObject): Readonly<Record<string, string>> {
  const jwk = key.export({ format: "jwk" });
  const members = MEMBERS.get(jwk.kty ?? "") ?? ["crv", "kty", "x"];
  return Object.fromEntries(members.map((member) => [member, String(jwk[member])]));
}

/**
 * The public EC or RSA key of a JWK, its numbers in their one spelling and its strength as `readPublicKey` asks;
 * undefined for anything else, and for a key that came with its private part.
 */
export function importJwk(entry: JsonObject): KeyObject | undefined {
  const members = MEMBERS.get(typeof entry.kty === "string" ? entry.kty : "");
  if (members === undefined || PRIVATE.some((member) => Object.hasOwn(entry, member))) return undefined;
  const jwk = Object.fromEntries(members.map((member) => [member, entry[member]]));
  if (!Object.values(jwk).every((value) => typeof value === "string")) return undefined;
  try {
    const imported = createPublicKey({ key: jwk as JsonWebKey, format: "jwk" });
    const key = readPublicKey(imported.export({ format: "der", type: "spki" }));
    const exported = exportJwk(key);
    return members.every((member) => exported[member] === jwk[member]) ? key : undefined;
  } catch (error) {
    if (error instanceof DerError || (error as NodeJS.ErrnoException).code !== undefined) return undefined;
    throw error;
  }
}

/** RFC 7638: names a key by its own members, base64url. */
export function jwkThumbprint(key: KeyObject): string {
  return hash("sha256", JSON.stringify(exportJwk(key)), "base64url");
}
