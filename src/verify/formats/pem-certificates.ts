import { pemBlocks } from "../../x509/pem.ts";
import { malformed } from "./members.ts";

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
