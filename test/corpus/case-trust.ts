import { createPublicKey } from "node:crypto";
import { createTrust, type TrustDocument, type TrustSnapshot } from "../../src/trust/snapshot.ts";
import type { TrustedKey } from "../../src/trust/trusted-key.ts";
import type { Case, Corpus } from "./manifest.ts";

/** Most cases share one of a few documents, and a snapshot's keys and certificates are costly to prepare. */
const snapshots = new Map<string, TrustSnapshot>();

/** The trust of a case. Throws `VouchsafeError` for a document that does not load: the case is a rejection then. */
export function trustOf(test: Case, corpus: Corpus): TrustSnapshot {
  const document = documentOf(test, corpus);
  const text = JSON.stringify(document);
  const snapshot = snapshots.get(text) ?? createTrust(document);
  snapshots.set(text, snapshot);
  return snapshot;
}

/** The trust document of a case: its trusted root and its keys, with the thresholds that it asks for. */
function documentOf(test: Case, corpus: Corpus): TrustDocument {
  const { tlogEntries = 0, scts = 0, observerTimestamps = 0 } = test.requirements ?? {};
  const { trustedRoot, key, keySet } = test.files;
  // Absent asks for what the instance asks for by itself; no case can lower that.
  const thresholds = {
    ...(tlogEntries > 0 && { logEntries: tlogEntries }),
    ...(observerTimestamps > 0 && { timestamps: observerTimestamps }),
  };
  return {
    sigstore:
      trustedRoot === undefined
        ? []
        : [
            {
              name: "root",
              trustedRoot: JSON.parse(corpus.read(trustedRoot).toString()),
              thresholds: { ...thresholds, ...(scts > 0 && { scts }) },
            },
          ],
    keys: [
      ...(key === undefined ? [] : [{ ...keyOf(corpus.read(key), test), thresholds }]),
      ...(keySet === undefined ? [] : npmKeys(corpus.read(keySet)).map((one) => ({ ...one, thresholds }))),
    ],
  };
}

function keyOf(file: Buffer, { policy }: Case): TrustedKey {
  const { start, end } = policy?.keyValidFor ?? {};
  return {
    name: "key",
    publicKey: createPublicKey(file).export({ type: "spki", format: "pem" }).toString(),
    ...(start === undefined ? {} : { validFrom: start }),
    ...(end === undefined ? {} : { validUntil: end }),
  };
}

interface NpmKey {
  readonly keyId: string;
  readonly keyUsage: string;
  readonly publicKey: {
    readonly rawBytes: string;
    readonly validFor: { readonly start: string; readonly end?: string };
  };
}

/** The npm registry's keys as its TUF target lists them; those for attestations. */
function npmKeys(file: Buffer): TrustedKey[] {
  const { keys }: { keys: readonly NpmKey[] } = JSON.parse(file.toString());
  return keys
    .filter(({ keyUsage }) => keyUsage === "npm:attestations")
    .map(({ keyId, publicKey: { rawBytes, validFor } }) => ({
      name: `npm ${keyId}`,
      keyId,
      publicKey: `-----BEGIN PUBLIC KEY-----\n${rawBytes}\n-----END PUBLIC KEY-----\n`,
      validFrom: validFor.start,
      ...(validFor.end === undefined ? {} : { validUntil: validFor.end }),
    }));
}
