import type { KeyObject } from "node:crypto";
import { sequence, unsigned } from "../der/writer.ts";
import { type PublicKeyKind, publicKeyKindOf } from "../x509/public-keys.ts";
import type { Claim, Scheme, SignatureCheck } from "./signature-check.ts";
import { type Signed, SignedBytes } from "./signed.ts";

/** A public key with its SubjectPublicKeyInfo, DER. */
export interface VerifyingKey {
  readonly publicKey: KeyObject;
  readonly spki: Uint8Array;
}

/** How one kind of key signs attestations. */
interface Habit {
  /** The schemes that it may have signed with, the usual one first. */
  readonly schemes: readonly Scheme[];
  /** Bytes of a raw r‖s signature, for ECDSA: the one length that tells it from DER. */
  readonly rawBytes?: number;
}

const SHA256: Scheme = { hash: "sha256" };
/** Of a signature. */
const ED25519_BYTES = 64;

/**
 * Kind of key → how it signs attestations. Older Sigstore clients signed with SHA-256 on every curve
 * (sigstore/architecture-docs algorithm-registry.md, the "legacy" rows).
 */
const HABITS: ReadonlyMap<PublicKeyKind | undefined, Habit> = new Map([
  ["p256", { schemes: [SHA256], rawBytes: 64 }],
  ["p384", { schemes: [{ hash: "sha384" }, SHA256], rawBytes: 96 }],
  ["p521", { schemes: [{ hash: "sha512" }, SHA256], rawBytes: 132 }],
  // Rekor takes the variant alone where it is told only a digest (rekor-tiles, hashedrekord).
  ["ed25519", { schemes: [{ hash: null }, { hash: "sha512", prehashed: true }] }],
  [
    "rsa",
    {
      schemes: [
        { hash: "sha256", padding: "pkcs1" },
        { hash: "sha256", padding: "pss" },
      ],
    },
  ],
]);

/**
 * The checks of which one must hold for the signature to be this key's over this, the usual scheme first. None
 * where the key cannot have signed it in a way that is verified here: without the bytes, and with a digest that is by another
 * hash than the key signs.
 */
export function signatureChecks(
  { publicKey: key, spki }: VerifyingKey,
  signed: Signed,
  signature: Uint8Array,
): SignatureCheck[] {
  const { schemes, rawBytes } = HABITS.get(publicKeyKindOf(spki)) ?? { schemes: [] };
  const der = signature.length === rawBytes ? derOfRaw(signature) : signature;
  return schemes
    .filter(({ hash }) => signed.bytes !== undefined || (hash !== null && signed.digest(hash) !== undefined))
    .filter(({ prehashed }) => !prehashed || signature.length === ED25519_BYTES)
    .map((scheme) => ({ key, scheme, signed, signature: der }));
}

/** Whether the signature may be a plain Ed25519 one, for all that this check can tell: over bytes that are not at hand. */
export function mayNeedBytes({ scheme, signed }: SignatureCheck): boolean {
  return scheme.prehashed === true && signed.bytes === undefined;
}

/** The check of a signature that a log or its like made over bytes: by the usual scheme of its key alone. */
export function usualCheck(
  { publicKey: key, spki }: VerifyingKey,
  bytes: Uint8Array,
  signature: Uint8Array,
): SignatureCheck | undefined {
  const [scheme] = HABITS.get(publicKeyKindOf(spki))?.schemes ?? [];
  return scheme && { key, scheme, signed: new SignedBytes(bytes), signature };
}

/** As a claim that finds nothing but itself. */
export function claimOf(check: SignatureCheck): Claim<SignatureCheck> {
  return { checks: [check], found: check };
}

/** IEEE P1363 → Ecdsa-Sig-Value (RFC 3279 §2.2.3), which node:crypto verifies faster. */
function derOfRaw(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  return sequence(unsigned(raw.subarray(0, half)), unsigned(raw.subarray(half)));
}
