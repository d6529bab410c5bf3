import { generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import { bitString, der, oid, sequence, unsigned } from "../der/writer.ts";

const newKeyPair = promisify(generateKeyPair);

/** ecdsa-with-SHA256 (RFC 5758, 3.2). */
const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
/** The empty `[0]` of a request that asks for nothing. */
const NO_ATTRIBUTES = der(0xa0);

/** A P-256 key of its own. */
export async function newKey(): Promise<KeyObject> {
  const { privateKey } = await newKeyPair("ec", { namedCurve: "P-256" });
  return privateKey;
}

/** A PKCS #10 request (RFC 2986) for a P-256 key: who it is for is the server's to say. DER. */
export function requestFor(key: KeyObject, publicKey: KeyObject): Uint8Array {
  const spki = publicKey.export({ format: "der", type: "spki" });
  const info = sequence(unsigned(Buffer.of(0)), sequence(), spki, NO_ATTRIBUTES);
  return sequence(info, ECDSA_WITH_SHA256, bitString(sign("sha256", info, key)));
}
