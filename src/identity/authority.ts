import { createPrivateKey, type KeyObject } from "node:crypto";
import { DerError } from "../der/reader.ts";
import { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/index.ts";
import { type Certificate, isIssuedBy, parseCertificate } from "../x509/certificate.ts";
import { basicConstraintsOf, keyUsageOf, subjectKeyIdentifierOf, uriNamesOf } from "../x509/extensions.ts";
import { type PemBlock, pemBlocks } from "../x509/pem.ts";
import { isKeyOf } from "../x509/public-keys.ts";
import { authorityId } from "./believed-authorities.ts";
import { jwkThumbprint } from "./jwk.ts";
import type { JwtAuthority } from "./jwt-svid.ts";
import { jwtSigner, keySigner } from "./signer.ts";
import { spiffeId, type TrustDomain } from "./spiffe-id.ts";
import type { X509Authority } from "./x509-svid.ts";

/** What a trust domain's SVIDs are signed with. */
export interface Authority extends X509Authority, JwtAuthority {
  /** Names what relying parties believe of it: the same for another issuing certificate below the same root. */
  readonly id: Digest;
  readonly trustDomain: TrustDomain;
  /** What is handed out after each X.509-SVID, DER: the issuing authority first, without the root. */
  readonly chain: readonly Uint8Array[];
  /** Self-signed; of those that bundles hold. */
  readonly root: Certificate;
  /** The time in which all of its certificates are in force, in milliseconds since the epoch. No SVID outlives it. */
  readonly from: number;
  readonly until: number;
}

/** PEM texts that an authority is read from. */
export interface AuthorityTexts {
  /** The issuing certificate, then its issuers up to the self-signed root. */
  readonly certificates: string;
  /** PKCS #8, on P-256 or P-384: the one key of its text that is the issuing certificate's. */
  readonly key: string;
  /** PKCS #8, on P-256 or RSA: the one key of its text that is not. */
  readonly jwtKey: string;
  readonly passphrase?: string | undefined;
}

/**
 * Reads an authority of this trust domain; says nothing of whether it is in force.
 *
 * Throws `configuration-invalid` for texts that hold none.
 */
export function readAuthority(texts: AuthorityTexts, trustDomain: TrustDomain): Authority {
  const certificates = certificatesOf(blocksOf(texts.certificates));
  const caCertificate = assertChain(certificates, trustDomain);
  const isCaKey = (key: KeyObject) => isKeyOf(key, caCertificate.spki);

  const caKey = keySigner(onlyKey(texts.key, texts.passphrase, isCaKey, "the first certificate's"));
  if (caKey === undefined) throw invalid("the private key is not on P-256 or P-384");
  const jwtKey = jwtSigner(
    onlyKey(texts.jwtKey, texts.passphrase, (key) => !isCaKey(key), "for JWT-SVIDs alone"),
  );
  if (jwtKey === undefined) throw invalid("the JWT key is neither on P-256 nor RSA of 2048 to 4096 bits");

  const jwtKeyId = jwkThumbprint(jwtKey.publicKey);
  const root = certificates.at(-1) ?? caCertificate;
  return {
    id: authorityId({ trustDomain, root, jwtKeyId }),
    trustDomain,
    caCertificate,
    caKey,
    chain: certificates.slice(0, -1).map(({ der }) => der),
    root,
    from: Math.max(...certificates.map(({ notBefore }) => notBefore)),
    until: Math.min(...certificates.map(({ notAfter }) => notAfter)),
    jwtKey,
    jwtKeyId,
  };
}

/**
 * Throws `configuration-invalid` where a certificate of one is not in force yet, or none of them is any more: one that has ended
 * beside another signs nothing and stops nobody.
 */
export function assertInForce(authorities: readonly Authority[], now: number): void {
  const live = authorities.filter(({ until }) => now <= until);
  if (live.length === 0 || live.some(({ from }) => now < from))
    throw invalid("a certificate is not valid now");
}

function certificatesOf(blocks: readonly PemBlock[]): Certificate[] {
  try {
    return blocks.filter(({ label }) => label === "CERTIFICATE").map(({ bytes }) => parseCertificate(bytes));
  } catch (error) {
    if (error instanceof DerError) throw invalid(error.message, error);
    throw error;
  }
}

/** The first of the certificates, when each may sign and is issued by the next, and the last by itself. */
function assertChain(certificates: readonly Certificate[], trustDomain: TrustDomain): Certificate {
  try {
    const [first] = certificates;
    if (first === undefined) throw invalid("there is no certificate");
    for (const [i, certificate] of certificates.entries()) {
      const { ca, pathLength = i } = basicConstraintsOf(certificate);
      if (!ca || !keyUsageOf(certificate)?.keyCertSign) {
        throw invalid("a certificate may not sign certificates");
      }
      if (i > pathLength) throw invalid("a certificate allows fewer authorities below it than there are");
      if (!isIssuedBy(certificate, certificates[i + 1] ?? certificate)) {
        throw invalid("each certificate must be issued by the next, and the last by itself");
      }
    }
    if (subjectKeyIdentifierOf(first) === undefined) throw invalid("a certificate does not identify its key");
    // A signing certificate need not name its trust domain, but must not name another (X509-SVID.md §3.2).
    if (uriNamesOf(first).some((uri) => uri !== spiffeId(trustDomain, ""))) {
      throw invalid(`its certificate is not of the trust domain ${trustDomain}`);
    }
    return first;
  } catch (error) {
    if (error instanceof DerError) throw invalid(error.message, error);
    throw error;
  }
}

/** The one private key of a text that is as wanted. */
function onlyKey(
  pem: string,
  passphrase: string | undefined,
  isWanted: (key: KeyObject) => boolean,
  wanted: string,
): KeyObject {
  const [key, ...others] = blocksOf(pem)
    .flatMap((block) => keyOf(block, passphrase) ?? [])
    .filter(isWanted);
  if (key === undefined || others.length > 0) {
    throw invalid(`there is not exactly one PKCS #8 private key that is ${wanted}`);
  }
  return key;
}

function keyOf({ label, bytes }: PemBlock, passphrase: string | undefined): KeyObject | undefined {
  const isEncrypted = label === "ENCRYPTED PRIVATE KEY";
  if (label !== "PRIVATE KEY" && !isEncrypted) return undefined;
  if (isEncrypted && passphrase === undefined) {
    throw invalid("a private key is encrypted, and no passphrase is configured");
  }
  const protection = isEncrypted && passphrase !== undefined ? { passphrase } : {};
  try {
    return createPrivateKey({ key: Buffer.from(bytes), format: "der", type: "pkcs8", ...protection });
  } catch {
    // The parser's error may quote the file, so it is no cause to pass on.
    throw invalid(
      isEncrypted ? "the passphrase does not open a private key" : "the private key cannot be read",
    );
  }
}

function blocksOf(pem: string): PemBlock[] {
  const blocks = pemBlocks(pem);
  if (blocks === undefined) throw invalid("a file is not PEM");
  return blocks;
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError(
    "configuration-invalid",
    `the identity authority does not load: ${what}`,
    options,
  );
}
