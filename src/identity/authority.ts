import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readOrCreate } from "../create-once.ts";
import { DerError } from "../der/reader.ts";
import { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/index.ts";
import { type Certificate, isIssuedBy, parseCertificate } from "../x509/certificate.ts";
import { basicConstraintsOf, keyUsageOf, subjectKeyIdentifierOf, uriNamesOf } from "../x509/extensions.ts";
import { type PemBlock, pemBlocks, writePem } from "../x509/pem.ts";
import { isKeyOf } from "../x509/public-keys.ts";
import { authorityId } from "./believed-authorities.ts";
import { jwkThumbprint } from "./jwk.ts";
import type { JwtAuthority } from "./jwt-svid.ts";
import { writeRootCertificate } from "./root-certificate.ts";
import { jwtSigner, keySigner, type Signer } from "./signer.ts";
import { spiffeId, type TrustDomain } from "./spiffe-id.ts";
import { serialFrom, type X509Authority } from "./x509-svid.ts";

/** What a trust domain's SVIDs are signed with. */
export interface Authority extends X509Authority, JwtAuthority {
  /** Names what relying parties believe of it: the same for another issuing certificate below the same root. */
  readonly id: Digest;
  readonly trustDomain: TrustDomain;
  /** What is handed out after each X.509-SVID, DER: the issuing authority first, without the root. */
  readonly chain: readonly Uint8Array[];
  /** Self-signed; of those that bundles hold. */
  readonly root: Certificate;
  /** The first end of the certificates above SVIDs, in milliseconds since the epoch: none outlives it. */
  readonly until: number;
}

/** Paths of PEM files made elsewhere, used in place of the data directory's own. */
export interface AuthorityFiles {
  /** The issuing certificate, then its issuers up to the self-signed root. */
  readonly certificates: string;
  /** PKCS #8, on P-256 or P-384. May be the same file. */
  readonly key: string;
  /** PKCS #8, on P-256, or RSA. */
  readonly jwtKey: string;
}

export interface AuthorityOptions {
  readonly trustDomain: TrustDomain;
  readonly dataDir: string;
  readonly files?: AuthorityFiles;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/**
 * Opens a trust domain's authority from its files. Without files given, a root valid for ten years and a key for
 * JWT-SVIDs are made in the data directory when they are not there (mode 0600). Nodes that share a trust domain
 * share these files, or copies of them.
 *
 * Throws `configuration-invalid` for files that do not hold an authority of this trust domain.
 */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const { trustDomain, dataDir, files, clock } = options;
  const now = clock();
  const x509 =
    files === undefined
      ? await readOrCreate(join(dataDir, "x509-authority.pem"), () => makeX509Authority(trustDomain, now))
      : `${await readPem(files.certificates)}\n${files.key === files.certificates ? "" : await readPem(files.key)}`;
  const jwt =
    files === undefined
      ? await readOrCreate(join(dataDir, "jwt-authority.pem"), makeKey)
      : await readPem(files.jwtKey);

  const { caCertificate, caKey, certificates } = readX509Authority(x509, trustDomain, now);
  const jwtKey = jwtSigner(parseKey(blocksOf(jwt)));
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
    until: Math.min(...certificates.map(({ notAfter }) => notAfter)),
    jwtKey,
    jwtKeyId,
  };
}

/** Key and certificate in one file, so that neither is ever there without the other. */
function makeX509Authority(trustDomain: TrustDomain, now: number): string {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const root = writeRootCertificate({ trustDomain, key, serial: serialFrom(randomBytes(16)), now });
  return writePem("CERTIFICATE", root) + exportKey(key);
}

function makeKey(): string {
  return exportKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
}

function exportKey(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

function readX509Authority(pem: string, trustDomain: TrustDomain, now: number) {
  const blocks = blocksOf(pem);
  const key = parseKey(blocks);
  try {
    const certificates = blocks
      .filter(({ label }) => label === "CERTIFICATE")
      .map(({ bytes }) => parseCertificate(bytes));
    const caCertificate = assertChain(certificates, trustDomain, now);
    const caKey: Signer | undefined = keySigner(key);
    if (caKey === undefined) throw invalid("the private key is not on P-256 or P-384");
    if (!isKeyOf(key, caCertificate.spki)) {
      throw invalid("the private key is not that of the first certificate");
    }
    return { caCertificate, caKey, certificates };
  } catch (error) {
    if (error instanceof DerError) throw invalid(error.message, error);
    throw error;
  }
}

/** The first of the certificates, when each may sign and is issued by the next, and the last by itself. */
function assertChain(
  certificates: readonly Certificate[],
  trustDomain: TrustDomain,
  now: number,
): Certificate {
  const [first] = certificates;
  if (first === undefined) throw invalid("there is no certificate");
  for (const [i, certificate] of certificates.entries()) {
    if (!basicConstraintsOf(certificate).ca || !keyUsageOf(certificate)?.keyCertSign) {
      throw invalid("a certificate may not sign certificates");
    }
    if (now < certificate.notBefore || now > certificate.notAfter)
      throw invalid("a certificate is not valid now");
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
}

/** The one private key among the blocks. */
function parseKey(blocks: readonly PemBlock[]): KeyObject {
  const [block, ...others] = blocks.filter(({ label }) => label === "PRIVATE KEY");
  if (block === undefined || others.length > 0) throw invalid("there is not exactly one PKCS #8 private key");
  try {
    return createPrivateKey({ key: Buffer.from(block.bytes), format: "der", type: "pkcs8" });
  } catch {
    // The parser's error may quote the file, so it is no cause to pass on.
    throw invalid("the private key cannot be read");
  }
}

function blocksOf(pem: string): PemBlock[] {
  const blocks = pemBlocks(pem);
  if (blocks === undefined) throw invalid("a file is not PEM");
  return blocks;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new VouchsafeError("configuration-invalid", `${path} cannot be read`, { cause });
  }
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError(
    "configuration-invalid",
    `the identity authority does not load: ${what}`,
    options,
  );
}
