import { hash } from "node:crypto";
import { AttestationFormatError } from "./errors.ts";
import type { Digest } from "./types.ts";

/**
 * Digest algorithms that name an artifact (in-toto/attestation spec/v1/digest_set.md) → length in hex digits.
 *
 * Those whose value is not plain lower-case hex of one length (`dirHash`, `gitoid:…`) are absent: a Statement
 * may carry them, but nothing is looked up by them. Strongest first.
 */
const HEX_LENGTHS: ReadonlyMap<string, readonly number[]> = new Map([
  ["sha256", [64]],
  ["sha384", [96]],
  ["sha512", [128]],
  ["sha512_256", [64]],
  ["sha3_256", [64]],
  ["sha3_384", [96]],
  ["sha3_512", [128]],
  ["blake2b", [128]],
  ["blake2s", [64]],
  ["sha224", [56]],
  ["sha512_224", [56]],
  ["sha3_224", [56]],
  ["sha1", [40]],
  ["md5", [32]],
  // Git objects: sha1 or, in repositories of the newer format, sha256.
  ["gitCommit", [40, 64]],
  ["gitTree", [40, 64]],
  ["gitBlob", [40, 64]],
  ["gitTag", [40, 64]],
]);

/** Algorithms strong enough that "this artifact was approved" may rest on them. */
const GROUNDS_ALLOW: ReadonlySet<string> = new Set(["sha256", "sha384", "sha512"]);

/** Every algorithm that `digestOf` takes, strongest first. */
export const KNOWN_ALGORITHMS: readonly string[] = [...HEX_LENGTHS.keys()];

const LOWER_HEX = /^[0-9a-f]+$/;

/** Reads `algorithm:hex`. Throws `malformed-digest` or `unsupported-digest-algorithm`. */
export function parseDigest(text: string): Digest {
  const colon = text.indexOf(":");
  if (colon === -1) throw new AttestationFormatError("malformed-digest", "a digest is written algorithm:hex");
  requireDigest(text.slice(0, colon), text.slice(colon + 1));
  return text as Digest;
}

/** Joins an algorithm and its lower-case hex value. Throws like `parseDigest`. */
export function digestOf(algorithm: string, hex: string): Digest {
  requireDigest(algorithm, hex);
  return `${algorithm}:${hex}` as Digest;
}

function requireDigest(algorithm: string, hex: string): void {
  const lengths = HEX_LENGTHS.get(algorithm);
  if (lengths === undefined) {
    throw new AttestationFormatError("unsupported-digest-algorithm", "the digest algorithm is not known");
  }
  if (!lengths.includes(hex.length) || !LOWER_HEX.test(hex)) {
    throw new AttestationFormatError(
      "malformed-digest",
      `a ${algorithm} digest has ${lengths.join(" or ")} lower-case hexadecimal digits`,
    );
  }
}

/** sha256 of the bytes, as `sha256:…`. */
export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${hash("sha256", bytes, "hex")}` as Digest;
}

/**
 * The digest's bytes, by an algorithm that node:crypto knows by this name. By way of a string, because node:crypto takes four times as
 * long to hand out a buffer of its own.
 */
export function hashBytes(algorithm: string, bytes: Uint8Array): Buffer {
  return Buffer.from(hash(algorithm, bytes, "binary"), "binary");
}

export function algorithmOf(digest: Digest): string {
  return digest.slice(0, digest.indexOf(":"));
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** Whether an artifact named by this digest may be allowed at all; a weaker one can only be looked up. */
export function groundsAllow(digest: Digest): boolean {
  return GROUNDS_ALLOW.has(algorithmOf(digest));
}

/** Whether `digestOf` takes values of this algorithm. */
export function isKnownAlgorithm(algorithm: string): boolean {
  return HEX_LENGTHS.has(algorithm);
}
