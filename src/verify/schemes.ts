import type { KeyObject } from "node:crypto";
import { sequence, unsigned } from "../der/writer.ts";
import type { Claim, Scheme, SignatureCheck, Signed } from "./signature-check.ts";

/** How one kind of key signs attestations. */
interface KeyKind {
  /** The schemes that it may have signed with, the usual one first. */
  readonly schemes: readonly Scheme[];
  /** Bytes of a raw r‖s signature, for ECDSA: the one length that tells it from DER. */
  readonly rawBytes?: number;
}

const SHA256: Scheme = { hash: "sha256" };

/**
 * Kind of key → how it signs attestations. Older Sigstore clients signed with SHA-256 on every curve
 * (sigstore/architecture-docs algorithm-registry.md, the "legacy" rows).
 */
const KINDS: ReadonlyMap<string, KeyKind> = new Map([
  ["ec prime256v1", { schemes: [SHA256], rawBytes: 64 }],
  ["ec secp384r1", { schemes: [{ hash: "sha384" }, SHA256], rawBytes: 96 }],
  ["ec secp521r1", { schemes: [{ hash: "sha512" }, SHA256], rawBytes: 132 }],
  ["ed25519", { schemes: [{ hash: null }] }],
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
 * where the key cannot have signed it in a way that is verified here: Ed25519 needs the bytes themselves.
 */
export function signatureChecks(key: KeyObject, signed: Signed, signature: Uint8Array): SignatureCheck[] {
  const { schemes, rawBytes } = kindOf(key) ?? { schemes: [] };
  const der = signature.length === rawBytes ? derOfRaw(signature) : signature;
  return schemes
    .filter(({ hash }) => signed.case === "bytes" || hash === signed.algorithm)
    .map((scheme) => ({ key, scheme, signed, signature: der }));
}

/** The check of a signature that a log or its like made over bytes: by the usual scheme of its key alone. */
export function usualCheck(
  key: KeyObject,
  bytes: Uint8Array,
  signature: Uint8Array,
): SignatureCheck | undefined {
  const [scheme] = kindOf(key)?.schemes ?? [];
  return scheme && { key, scheme, signed: { case: "bytes", bytes }, signature };
}

/** As a claim that finds nothing but itself. */
export function claimOf(check: SignatureCheck): Claim<SignatureCheck> {
  return { checks: [check], found: check };
}

function kindOf(key: KeyObject): KeyKind | undefined {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return KINDS.get(curve === undefined ? `${key.asymmetricKeyType}` : `${key.asymmetricKeyType} ${curve}`);
}

/** IEEE P1363 → Ecdsa-Sig-Value (RFC 3279 §2.2.3), which node:crypto verifies faster. */
function derOfRaw(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  return sequence(unsigned(raw.subarray(0, half)), unsigned(raw.subarray(half)));
}
