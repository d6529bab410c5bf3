import { VouchsafeError } from "../errors.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import { covers } from "../trust/time-range.ts";
import type { Certificate } from "../x509/certificate.ts";
import { type Anchor, anchorsOf, type Witnesses } from "./anchors.ts";
import { type CertificationPath, nameOf, pathsTo, readIntermediates } from "./certification-path.ts";
import { type Findings, operatorsOf, VerificationError } from "./findings.ts";
import { readFulcioIdentity } from "./fulcio-claims.ts";
import { claimOf, mayNeedBytes, signatureChecks } from "./schemes.ts";
import { readScts } from "./sct.ts";
import { type Claim, holding, type SignatureCheck, type Verification } from "./signature-check.ts";
import type { Signed } from "./signed.ts";
import type { Content, EvidenceSignature } from "./signed-evidence.ts";
import { parseSigningCertificate, type SigningCertificate } from "./signing-certificate.ts";
import type { Signer } from "./verified-attestation.ts";
import {
  claimsOfWitnesses,
  requireLogEntries,
  requireTimes,
  trustedTimes,
  type WitnessClaims,
} from "./witnessed.ts";

/** Who signed, and what the steps found. */
export interface CertifiedSignature {
  readonly signer: Signer;
  readonly findings: Findings;
}

interface Case {
  readonly signing: SigningCertificate;
  readonly one: EvidenceSignature;
  readonly content: Content;
  readonly signed: Signed;
  /** One of them must hold. */
  readonly signatureChecks: readonly SignatureCheck[];
  /** Read once, though several anchors may share their witnesses. */
  readonly witnessed: Map<Witnesses, WitnessClaims>;
}

/**
 * Goes through the checklist for a signature that came with its certificate. Anchors may share an authority: the
 * first under which it verifies counts, else the reason of the first is given.
 *
 * Throws `VouchsafeError`.
 */
export function* verifyWithCertificate(
  one: EvidenceSignature,
  certificate: { readonly leaf: Uint8Array; readonly intermediates: readonly Uint8Array[] },
  content: Content,
  signed: Signed,
  trust: TrustSnapshot,
): Verification<CertifiedSignature> {
  const signing = parseSigningCertificate(certificate.leaf);
  const checks = signatureChecks(signing, signed, one.signature);
  if (checks.length === 0) {
    throw new VerificationError(
      "signature",
      "unsupported-algorithm",
      "signatures of this key cannot be verified here",
    );
  }
  let read: readonly Certificate[] | undefined;
  const intermediates = () => {
    read ??= readIntermediates(certificate.intermediates);
    return read;
  };
  const witnessed = new Map<Witnesses, WitnessClaims>();
  let refusal: VouchsafeError | undefined;
  for (const anchor of anchorsOf(trust).anchors) {
    const paths = pathsTo(anchor, signing.certificate, intermediates);
    if (paths.length === 0) continue;
    try {
      const signatureCase = { signing, one, content, signed, signatureChecks: checks, witnessed };
      return yield* underAnchor(anchor, paths, signatureCase);
    } catch (error) {
      if (!(error instanceof VouchsafeError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? unknownAuthority();
}

function* underAnchor(
  anchor: Anchor,
  paths: readonly Claim<CertificationPath>[],
  { signing, one, content, signed, signatureChecks: [usual, ...unusual], witnessed }: Case,
): Verification<CertifiedSignature> {
  const { witnesses, thresholds } = anchor;
  const { certificate } = signing;
  const verifier = { case: "certificate", der: certificate.der } as const;
  const logged = { signature: one.signature, verifier, content, signed };
  const claims = witnessed.get(witnesses) ?? claimsOfWitnesses(one, witnesses, logged);
  witnessed.set(witnesses, claims);
  const { timestamps, entries } = claims;
  const [heldTimestamps, heldEntries, heldPaths, heldScts, heldSignatures] = yield* holding([
    timestamps.claims,
    entries.claims,
    paths,
    paths.flatMap(({ found }) => sctsUnder(found, certificate, witnesses)),
    usual === undefined ? [] : [claimOf(usual)],
  ]);

  const failure = timestamps.failure ?? entries.failure;
  const times = trustedTimes(heldTimestamps, heldEntries);
  requireTimes(times, Math.max(1, thresholds.timestamps), failure);

  if (heldPaths.length === 0) throw unknownAuthority({ times });
  // At each of them: a time that does not hold is passed over, and one that holds is the truth
  // (sigstore/architecture-docs client-spec.md §4, "Certificate").
  const path = heldPaths.find(({ validFor }) => times.every(({ time }) => covers(validFor, time)));
  if (path === undefined) throw outOfDate({ times });

  const chain = path.above.map(nameOf);
  const scts = heldScts.filter((one) => one.path === path).map(({ sct }) => sct);
  const published = operatorsOf(scts);
  if (published < thresholds.scts) throw unpublished(published, thresholds.scts, { times, chain });

  const needed = Math.max(thresholds.logEntries, one.logEntries.length > 0 ? 1 : 0);
  const findings = { times, chain, scts };
  const logEntries = requireLogEntries(heldEntries, times, needed, entries.failure, findings);

  if (heldSignatures.length === 0 && !(yield* anyHolds(unusual))) {
    const found = { ...findings, logEntries };
    throw usual !== undefined && mayNeedBytes(usual) ? notByDigest(found) : notTheSigners(found);
  }
  return { signer: signerOf(signing, anchor), findings: { ...findings, logEntries } };
}

/** The SCTs as they count under one path: each is over its issuer's key too, and promises nothing of another's (RFC 6962 §3.2). */
function sctsUnder(path: CertificationPath, certificate: Certificate, { ctLogs }: Witnesses) {
  return readScts(certificate, path.issuer, ctLogs).map(({ checks, found: sct }) => ({
    checks,
    found: { path, sct },
  }));
}

/** The schemes that a kind of key used once, tried only where the usual one does not hold. */
function* anyHolds(checks: readonly SignatureCheck[]): Verification<boolean> {
  return checks.length > 0 && (yield checks).some(Boolean);
}

/** Where no OIDC issuer knew the holder, the authority alone did, by its name in the trust document. */
function signerOf({ certificate, identity }: SigningCertificate, { name, instance }: Anchor): Signer {
  const { issuer = `x509:${name}`, claims } =
    instance === undefined ? { claims: {} } : readFulcioIdentity(certificate);
  return { case: "certificate", issuer, identity, claims, instance: name };
}

function unknownAuthority(findings: Partial<Findings> = {}): VerificationError {
  return new VerificationError(
    "certificate",
    "certificate-invalid",
    "no trusted authority issued the certificate",
    findings,
  );
}

function outOfDate(findings: Partial<Findings>): VerificationError {
  return new VerificationError(
    "certificate",
    "certificate-invalid",
    "the certificate, or one that it descends from, was not valid at every trusted time",
    findings,
  );
}

function unpublished(found: number, needed: number, findings: Partial<Findings>): VerificationError {
  return new VerificationError(
    "sct",
    "certificate-invalid",
    `${found} of ${needed} certificate-transparency logs promised to publish the certificate`,
    findings,
  );
}

function notByDigest(findings: Findings): VerificationError {
  const reason = "it is not by Ed25519ph, and plain Ed25519 is over the artifact itself";
  return new VerificationError("signature", "unsupported-algorithm", reason, findings);
}

function notTheSigners(findings: Findings): VerificationError {
  return new VerificationError(
    "signature",
    "signature-invalid",
    "the signature is not of the certificate's key over this content",
    findings,
  );
}
