import type { KeyObject } from "node:crypto";
import type { Bundle as LibraryBundle } from "@sigstore/bundle";
import { Bundle, TrustedRoot } from "@sigstore/protobuf-specs";
import {
  type SignedEntity,
  type TrustMaterial,
  toSignedEntity,
  toTrustMaterial,
  Verifier,
} from "@sigstore/verify";
import { type ErrorCode, VouchsafeError } from "../errors.ts";
import type { JsonObject } from "../in-toto-attestation/index.ts";
import type { SigstoreInstance, Thresholds } from "../trust/sigstore-instance.ts";
import { covers } from "../trust/time-range.ts";
import type { PreparedKey } from "../trust/trusted-key.ts";

// The one place that knows @sigstore/verify. It checks timestamps, certificate chain, SCTs and log entries; what
// is signed, and whether the signature holds, is said by our own code.

/** The bundle's signature, as the log's entries must repeat it. */
export interface SignatureToMatch {
  readonly signature: Uint8Array;
  /** sha256 of the payload of an envelope, or the digest of the message. */
  readonly contentDigest: Uint8Array;
  /** sha256 of the bytes that are signed: of the pre-authentication encoding, or the digest of the message. */
  readonly signedDigest: Uint8Array;
  verifiesWith(key: KeyObject): boolean;
}

/**
 * Verifies a bundle that a certificate signed. Returns the trusted times, ascending, in milliseconds since the
 * epoch. Throws `VouchsafeError` with the code of the step that failed.
 */
export function verifyCertified(
  json: JsonObject,
  signature: SignatureToMatch,
  instance: SigstoreInstance,
): number[] {
  return run(json, signature, materialOf(instance), instance.thresholds);
}

/**
 * Verifies a bundle that this key signed, log entries and timestamps under any of the instances. Returns and
 * throws like `verifyCertified`; the list is empty where the bundle has no trusted time.
 */
export function verifyKeyed(
  json: JsonObject,
  signature: SignatureToMatch,
  key: PreparedKey,
  instances: readonly SigstoreInstance[],
): number[] {
  const materials = instances.map(materialOf);
  const material: TrustMaterial = {
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: materials.flatMap(({ timestampAuthorities }) => timestampAuthorities),
    tlogs: materials.flatMap(({ tlogs }) => tlogs),
    publicKey: () => ({ publicKey: key.publicKey, validFor: (date) => covers(key.validFor, date.getTime()) }),
  };
  return run(json, signature, material, { ...key.thresholds, scts: 0 });
}

function run(
  json: JsonObject,
  signature: SignatureToMatch,
  material: TrustMaterial,
  thresholds: Thresholds,
): number[] {
  try {
    const entity = toEntity(json, signature);
    new Verifier(material, {
      tlogThreshold: thresholds.logEntries,
      ctlogThreshold: thresholds.scts,
      timestampThreshold: thresholds.timestamps,
    }).verify(entity);
    return trustedTimes(entity);
  } catch (error) {
    throw toVouchsafeError(error);
  }
}

function toEntity(json: JsonObject, signature: SignatureToMatch): SignedEntity {
  const entity = toSignedEntity(Bundle.fromJSON(json) as LibraryBundle);
  const bytes = Buffer.from(signature.signature);
  return {
    ...entity,
    signature: {
      signature: bytes,
      compareSignature: (other) => bytes.equals(other),
      compareDigest: (other) => other.equals(signature.contentDigest),
      compareSignedDigest: (other) => other.equals(signature.signedDigest),
      verifySignature: (key) => signature.verifiesWith(key),
    },
  };
}

/** After `verify` every timestamp that the entity has is verified, except times that no log promised. */
function trustedTimes({ timestamps }: SignedEntity): number[] {
  const times = timestamps.flatMap((timestamp) => {
    if (timestamp.$case === "timestamp-authority") return [timestamp.timestamp.signingTime.getTime()];
    const { inclusionPromise, integratedTime } = timestamp.tlogEntry;
    return inclusionPromise === undefined ? [] : [Number(integratedTime) * 1000];
  });
  return times.sort((a, b) => a - b);
}

const materials = new WeakMap<SigstoreInstance, TrustMaterial>();

/** Keys and certificates are parsed once for each snapshot. */
function materialOf(instance: SigstoreInstance): TrustMaterial {
  const known = materials.get(instance);
  if (known !== undefined) return known;
  const material = toTrustMaterial(TrustedRoot.fromJSON(instance.trustedRoot));
  materials.set(instance, material);
  return material;
}

/** The library's codes → ours. Whatever else it throws was provoked by bytes that it could not read. */
const CODES: ReadonlyMap<unknown, ErrorCode> = new Map([
  ["TIMESTAMP_ERROR", "time-unverified"],
  ["CERTIFICATE_ERROR", "certificate-invalid"],
  ["PUBLIC_KEY_ERROR", "time-unverified"],
  ["SIGNATURE_ERROR", "signature-invalid"],
  ["TLOG_ERROR", "log-entry-invalid"],
  ["TLOG_BODY_ERROR", "log-entry-invalid"],
  ["TLOG_INCLUSION_PROMISE_ERROR", "log-entry-invalid"],
  ["TLOG_INCLUSION_PROOF_ERROR", "log-entry-invalid"],
  ["TLOG_MISSING_INCLUSION_ERROR", "log-entry-invalid"],
]);

function toVouchsafeError(error: unknown): VouchsafeError {
  const code =
    CODES.get(error instanceof Error && "code" in error ? error.code : undefined) ?? "malformed-bundle";
  const reason = code === "malformed-bundle" ? "a part of it cannot be read" : (error as Error).message;
  return new VouchsafeError(code, `the Sigstore bundle does not verify: ${reason}`, { cause: error });
}
