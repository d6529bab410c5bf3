import type { Certificate } from "../x509/certificate.ts";
import { x509Scheme } from "../x509/signatures.ts";
import type { SignatureCheck } from "./signature-check.ts";
import { SignedBytes } from "./signed.ts";

/** The check that this authority's key signed the certificate; undefined where it cannot have. */
export function issuanceCheck(certificate: Certificate, authority: Certificate): SignatureCheck | undefined {
  const { publicKey: key } = authority;
  const scheme = key && x509Scheme(key, certificate.signatureAlgorithm);
  if (key === undefined || scheme === undefined) return undefined;
  const { signed: bytes, signature } = certificate;
  return { key, scheme, signed: new SignedBytes(bytes), signature };
}
