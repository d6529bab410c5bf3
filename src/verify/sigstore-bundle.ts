import { createHash } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { type JsonObject, preAuthenticationEncoding } from "../in-toto-attestation/index.ts";
import type { SigstoreInstance } from "../trust/sigstore-instance.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import { canVerify, type Signed, verifySignature } from "./algorithms.ts";
import { type Bundle, type BundleContent, parseBundle } from "./bundle.ts";
import { isIssuedBy, parseSigningCertificate } from "./certificate.ts";
import { assertKeyHeld, findSigningKey } from "./signing-key.ts";
import { type SignatureToMatch, verifyCertified, verifyKeyed } from "./sigstore-js.ts";
import type { VerifiedSignature } from "./verified-signature.ts";

/**
 * Verifies a Sigstore bundle (v0.1 to v0.3): who signed, what, and when.
 *
 * A certificate must have been issued by one of the snapshot's instances and carry the time, SCT and log
 * evidence which that instance asks for. A key must be in the snapshot; what evidence of time and log its bundle
 * has is verified, and must hold.
 *
 * Throws `VouchsafeError` or `AttestationFormatError`.
 */
export function verifyBundle(json: JsonObject, trust: TrustSnapshot, at: number): VerifiedSignature {
  const bundle = parseBundle(json);
  return bundle.material.case === "certificate"
    ? verifyCertificateBundle(bundle, bundle.material.der, trust)
    : verifyKeyBundle(bundle, bundle.material.hint, trust, at);
}

function verifyCertificateBundle(bundle: Bundle, der: Uint8Array, trust: TrustSnapshot): VerifiedSignature {
  const { signed, signature } = signatureOf(bundle.content);
  const certificate = parseSigningCertificate(der);
  if (!canVerify(certificate.publicKey, signed)) throw unsupported();
  const issuers = trust.instances.filter(({ certificateAuthorities }) =>
    certificateAuthorities.some(({ chain }) =>
      chain.some((authority) => isIssuedBy(certificate, authority.certificate)),
    ),
  );
  const [instance, times] = firstThatVerifies(
    issuers,
    bundle.json,
    toMatch(bundle.content, signed, signature),
  );
  return {
    mediaType: bundle.mediaType,
    content: bundle.content,
    signer: {
      case: "certificate",
      issuer: certificate.issuer,
      identity: certificate.identity,
      claims: certificate.claims,
      instance: instance.name,
    },
    times,
  };
}

/** Instances may share an authority: the first that verifies counts, else the first one's reason. */
function firstThatVerifies(
  instances: readonly SigstoreInstance[],
  json: JsonObject,
  signature: SignatureToMatch,
): [SigstoreInstance, number[]] {
  let reason: unknown = new VouchsafeError(
    "certificate-invalid",
    "no trusted authority issued the certificate",
  );
  for (const [i, instance] of instances.entries()) {
    try {
      return [instance, verifyCertified(json, signature, instance)];
    } catch (error) {
      if (i === 0) reason = error;
    }
  }
  throw reason;
}

function verifyKeyBundle(
  bundle: Bundle,
  hint: string | undefined,
  trust: TrustSnapshot,
  at: number,
): VerifiedSignature {
  const { signed, signature } = signatureOf(bundle.content);
  const key = findSigningKey(trust.keys, signed, [
    hint === undefined ? { sig: signature } : { keyid: hint, sig: signature },
  ]);
  const times = verifyKeyed(bundle.json, toMatch(bundle.content, signed, signature), key, trust.instances);
  if (times.length === 0) assertKeyHeld(key, at);
  return {
    mediaType: bundle.mediaType,
    content: bundle.content,
    signer: { case: "key", name: key.name, keyId: key.keyId },
    times,
  };
}

function signatureOf(content: BundleContent): { signed: Signed; signature: Uint8Array } {
  if (content.case === "message") {
    const { algorithm, digest, signature } = content;
    return { signed: { case: "digest", algorithm, digest }, signature };
  }
  const { payloadType, payload, signatures } = content.envelope;
  const [only] = signatures;
  if (only === undefined) throw new VouchsafeError("malformed-bundle", "the envelope has no signature");
  return {
    signed: { case: "bytes", bytes: preAuthenticationEncoding(payloadType, payload) },
    signature: only.sig,
  };
}

function toMatch(content: BundleContent, signed: Signed, signature: Uint8Array): SignatureToMatch {
  return {
    signature,
    contentDigest: content.case === "message" ? content.digest : sha256Bytes(content.envelope.payload),
    signedDigest: signed.case === "digest" ? signed.digest : sha256Bytes(signed.bytes),
    verifiesWith: (key) => verifySignature(key, signed, signature),
  };
}

function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

function unsupported(): VouchsafeError {
  return new VouchsafeError("unsupported-algorithm", "signatures of this key cannot be verified here");
}
