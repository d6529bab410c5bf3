import { VouchsafeError } from "../errors.ts";
import { decodeBase64, decodeEitherBase64 } from "../in-toto-attestation/base64.ts";
import type { JsonValue } from "../in-toto-attestation/index.ts";
import { type PemBlock, pemBlocks } from "../x509/pem.ts";
import { known, text } from "./formats/members.ts";

// How the bodies of a log's entries spell hashes, bytes and keys.

const HASH = new Set(["algorithm", "value"]);
const HASHES: ReadonlySet<string> = new Set(["sha256", "sha384", "sha512"]);
const LOWER_HEX = /^(?:[0-9a-f]{2})+$/;

export interface BodyHash {
  readonly algorithm: string;
  readonly value: Uint8Array;
}

export function readHash(json: JsonValue | undefined, what: string): BodyHash {
  const { algorithm, value } = known(json, what, HASH);
  const hex = text(value, what);
  const name = text(algorithm, what);
  refuseUnless(HASHES.has(name) && LOWER_HEX.test(hex), `its ${what} is not a SHA-2 hash`);
  return { algorithm: name, value: Buffer.from(hex, "hex") };
}

/** The text inside base64: PEM, or base64 once more. */
export function innerText(value: JsonValue | undefined): string {
  const bytes = typeof value === "string" ? decodeBase64(value) : undefined;
  refuseUnless(bytes !== undefined, "it is not base64");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** In either alphabet, as envelopes spell their signatures. */
export function base64(value: JsonValue | undefined): Uint8Array {
  const bytes = typeof value === "string" ? decodeEitherBase64(value) : undefined;
  refuseUnless(bytes !== undefined, "it is not base64");
  return bytes;
}

/** Nothing here is secret, so the comparison need not take constant time. */
export function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

/** The PEM text of one certificate or key. */
export function onePem(pem: string): PemBlock {
  const [block, ...others] = pemBlocks(pem) ?? [];
  refuseUnless(block !== undefined && others.length === 0, "its certificate or key is not one PEM block");
  return block;
}

export function refuseUnless(condition: boolean, what: string): asserts condition {
  if (!condition) throw new VouchsafeError("log-entry-invalid", what);
}
