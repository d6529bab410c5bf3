import { decodeBase64, type JsonValue } from "../../in-toto-attestation/index.ts";
import { type PemBlock, pemBlocks } from "../../x509/pem.ts";
import { malformed } from "./members.ts";

/** Go writes the bytes of a PEM file as base64. */
export function pemInBase64(value: JsonValue, what: string): string {
  const bytes = typeof value === "string" ? decodeBase64(value) : undefined;
  if (bytes === undefined) throw malformed(`${what} is not base64`);
  return Buffer.from(bytes).toString("latin1");
}

/** The one certificate or key of a PEM text. Throws `VouchsafeError` (`malformed-bundle`). */
export function onePemBlock(pem: string, what: string): PemBlock {
  const [block, ...others] = pemBlocks(pem) ?? [];
  if (block === undefined || others.length > 0) throw malformed(`${what} is not one PEM block`);
  return block;
}

/** The certificates of a PEM text, DER, at most `most`. Throws `VouchsafeError` (`malformed-bundle`). */
export function certificatesIn(pem: string, what: string, most: number): Uint8Array[] {
  const blocks = pemBlocks(pem);
  if (blocks === undefined || blocks.some(({ label }) => label !== "CERTIFICATE")) {
    throw malformed(`${what} is not PEM of certificates`);
  }
  if (blocks.length > most) throw malformed(`${what} has more than ${most} certificates`);
  return blocks.map(({ bytes }) => bytes);
}

/** The one certificate of a PEM text, DER. Throws `VouchsafeError` (`malformed-bundle`). */
export function oneCertificate(pem: string, what: string): Uint8Array {
  const [certificate] = certificatesIn(pem, what, 1);
  if (certificate === undefined) throw malformed(`${what} holds no certificate`);
  return certificate;
}
