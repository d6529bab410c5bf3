import assert from "node:assert/strict";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { createTrust, type TrustDocument, type TrustSnapshot } from "../../src/trust/snapshot.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { bytesOf } from "./envelopes.ts";

/** When the tests of bundles verify: milliseconds since the epoch. */
export const NOW = 1_800_000_000_000;

export const artifact = { name: "widget.tgz", bytes: Buffer.from("the widget") };
export const artifactDigest = sha256(artifact.bytes);

/** As much of a Sigstore bundle as the tests change. */
export interface BundleJson {
  mediaType: string;
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
  messageSignature: { messageDigest: { algorithm: string; digest: string }; signature: string };
  verificationMaterial: {
    certificate?: { rawBytes: string };
    x509CertificateChain?: { certificates: { rawBytes: string }[] };
    publicKey?: { hint?: string };
    tlogEntries: {
      integratedTime: string;
      logIndex: string;
      kindVersion: { kind: string; version: string };
      inclusionPromise?: unknown;
      inclusionProof?: { checkpoint?: unknown };
    }[];
    timestampVerificationData?: { rfc3161Timestamps: unknown[] } | undefined;
  };
}

/** Bundles that certificates of a Sigstore instance of the test's own signed, and the trust they verify under. */
export interface SignedBundles {
  /** To be closed when the tests have run. */
  readonly sigstore: Sigstore;
  readonly local: TrustDocument["sigstore"][number];
  readonly trust: TrustSnapshot;
  /** Provenance of the artifact, witnessed by the log and by the timestamp authority. */
  readonly provenance: BundleJson;
  /** A signature over the artifact itself, witnessed by the log. */
  readonly blob: BundleJson;
}

export async function signBundles(): Promise<SignedBundles> {
  // Whole seconds: @sigstore/core cannot read a fraction whose last digit is a dropped zero.
  const sigstore = await startSigstore({ tsa: () => Math.ceil(Date.now() / 1000) * 1000 });
  const local = { name: "local", trustedRoot: sigstore.trustedRoot };
  return {
    sigstore,
    local,
    trust: createTrust({ sigstore: [local], keys: [] }),
    provenance: parseBundle(
      await sigstore.signStatement(slsaProvenance([artifact]), { witnesses: ["rekor", "tsa"] }),
    ),
    blob: parseBundle(await sigstore.signBlob(artifact.bytes)),
  };
}

export function parseBundle(bytes: Uint8Array): BundleJson {
  return JSON.parse(Buffer.from(bytes).toString());
}

export function verifyBundle(
  bundle: unknown,
  under: TrustSnapshot,
  message?: Uint8Array,
): VerifiedAttestation {
  return verifyEvidence(bytesOf(bundle), under, NOW, message);
}

/** Refuses the bundle after `change` was made to a copy of it. */
export function refuses(
  bundle: BundleJson,
  code: string,
  under: TrustSnapshot,
  change: (copy: BundleJson) => void = () => {},
): void {
  assert.throws(() => verifyBundle(mutated(bundle, change), under), { name: "VouchsafeError", code });
}

export function mutated(bundle: BundleJson, change: (copy: BundleJson) => void): BundleJson {
  const copy = structuredClone(bundle);
  change(copy);
  return copy;
}

/** Changes the bundle's first log entry. */
export function withEntry(bundle: BundleJson, changes: object): void {
  Object.assign(bundle.verificationMaterial.tlogEntries[0] ?? {}, changes);
}
