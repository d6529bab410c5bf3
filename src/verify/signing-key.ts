import { VouchsafeError } from "../errors.ts";
import { covers } from "../trust/time-range.ts";
import type { PreparedKey } from "../trust/trusted-key.ts";
import { canVerify, type Signed, verifySignature } from "./algorithms.ts";

interface KeySignature {
  /** What the envelope or bundle calls its key. Nothing signs it: it only says where to look first. */
  readonly keyid?: string;
  readonly sig: Uint8Array;
}

/** Signatures verified for one piece of evidence at most: bounds what a hostile envelope can cost. */
const MAX_ATTEMPTS = 64;

/**
 * The trusted key that made one of these signatures. A key that the signature names is asked first; because
 * writers name keys in many ways, every other key of the snapshot is asked after it.
 *
 * Throws `VouchsafeError`: `unknown-key`, `signature-invalid` (the named key did not make it),
 * `unsupported-algorithm`.
 */
export function findSigningKey(
  keys: readonly PreparedKey[],
  signed: Signed,
  signatures: readonly KeySignature[],
): PreparedKey {
  const attempts = signatures
    .flatMap(({ keyid, sig }) =>
      keys.map((key) => ({ key, sig, named: key.keyId === keyid || key.name === keyid })),
    )
    .sort((a, b) => Number(b.named) - Number(a.named));
  const usable = attempts.filter(({ key }) => canVerify(key.publicKey, signed)).slice(0, MAX_ATTEMPTS);
  const found = usable.find(({ key, sig }) => verifySignature(key.publicKey, signed, sig));
  if (found !== undefined) return found.key;
  if (attempts.length > 0 && usable.length === 0) {
    throw new VouchsafeError(
      "unsupported-algorithm",
      "no trusted key can sign this in a way that is verified here",
    );
  }
  if (attempts.some(({ named }) => named)) {
    throw new VouchsafeError("signature-invalid", "the signature is not of the key that it names");
  }
  throw new VouchsafeError("unknown-key", "no key of the trust snapshot made the signature");
}

/** Without a trusted time the key must be valid now. Throws `VouchsafeError` (`time-unverified`). */
export function assertKeyHeld(key: PreparedKey, at: number): void {
  if (!covers(key.validFor, at)) {
    throw new VouchsafeError(
      "time-unverified",
      `the key ${key.name} is not valid now, and no trusted time is in the evidence`,
    );
  }
}
