import { VouchsafeError } from "../errors.ts";
import { preAuthenticationEncoding } from "../in-toto-attestation/index.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import type { Verification } from "./signature-check.ts";
import { overDigest, type Signed, SignedBytes } from "./signed.ts";
import type { Content, EvidenceSignature, SignedEvidence } from "./signed-evidence.ts";
import type { VerifiedSignature } from "./verified-signature.ts";
import { verifyWithCertificate } from "./verify-certificate.ts";
import { verifyWithKey } from "./verify-key.ts";

/** Certificates that are tried for one piece of evidence at most: each costs several signatures. */
const MAX_CERTIFICATES = 4;

/**
 * Verifies who signed, and when: one of the evidence's signatures must hold, by a trusted key or by a certificate
 * of a trusted authority.
 *
 * @param message the bytes that a message's signature is over, where they are at hand
 * @throws VouchsafeError the reason of the first signature that was tried
 */
export function* verifySignature(
  evidence: SignedEvidence,
  trust: TrustSnapshot,
  message?: Uint8Array,
): Verification<VerifiedSignature> {
  const { content, signatures } = evidence;
  const signed = signedBy(content, message);
  const keyed = signatures.filter(({ signer }) => signer.case === "key");
  const certified = signatures
    .filter(({ signer }) => signer.case === "certificate")
    .slice(0, MAX_CERTIFICATES);
  const groups = [...(keyed.length === 0 ? [] : [keyed]), ...certified.map((one) => [one])];
  let refusal: VouchsafeError | undefined;
  for (const group of groups) {
    try {
      return yield* verifyGroup(group, evidence, signed, trust);
    } catch (error) {
      if (!(error instanceof VouchsafeError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? new VouchsafeError("malformed-bundle", "the evidence has no signature");
}

/** @param group the signature of one certificate, or all those of keys */
function* verifyGroup(
  group: readonly EvidenceSignature[],
  { mediaType, content }: SignedEvidence,
  signed: Signed,
  trust: TrustSnapshot,
): Verification<VerifiedSignature> {
  const [one] = group;
  if (one?.signer.case === "certificate") {
    const found = yield* verifyWithCertificate(one, one.signer, content, signed, trust);
    return { mediaType, content, ...found };
  }
  const { key, ...found } = yield* verifyWithKey(group, content, signed, trust);
  const { name, keyId, predicateTypes } = key;
  return {
    mediaType,
    content,
    signer: { case: "key", name, keyId },
    ...(predicateTypes !== undefined && { predicateTypes }),
    ...found,
  };
}

function signedBy(content: Content, message: Uint8Array | undefined): Signed {
  if (content.case === "envelope") {
    return new SignedBytes(preAuthenticationEncoding(content.payloadType, content.payload.bytes));
  }
  if (message !== undefined) return new SignedBytes(message);
  if (content.digest === undefined) {
    throw new VouchsafeError(
      "malformed-bundle",
      "the bundle does not say which message it signs: give the artifact",
    );
  }
  return overDigest(content.digest.algorithm, content.digest.bytes);
}
