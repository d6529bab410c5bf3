import { createPublicKey } from "node:crypto";
import { parseJson } from "../../src/in-toto-attestation/index.ts";
import type { JsonObject } from "../../src/in-toto-attestation/types.ts";
import { readNpmKeys } from "../../src/trust/npm-keys.ts";
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
  const { trustedRoot, key, keySet, ca } = test.files;
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
              trustedRoot: parseJson(corpus.read(trustedRoot)) as JsonObject,
              thresholds: { ...thresholds, ...(scts > 0 && { scts }) },
            },
          ],
    keys: [
      ...(key === undefined ? [] : [{ ...keyOf(corpus.read(key), test), thresholds }]),
      ...(keySet === undefined ? [] : npmKeys(corpus.read(keySet)).map((one) => ({ ...one, thresholds }))),
      ...namedKeys(test, corpus),
    ],
    ...(ca !== undefined && {
      x509: [{ name: "ca", certificates: corpus.read(ca).toString(), uses: ["attestations"] }],
    }),
  };
}

function keyOf(file: Buffer, { policy }: Case): TrustedKey {
  const { start, end } = policy?.keyValidFor ?? {};
  return {
    name: "key",
    ...(policy?.keyId === undefined ? {} : { keyId: policy.keyId }),
    publicKey: spkiPem(file),
    ...(start === undefined ? {} : { validFrom: start }),
    ...(end === undefined ? {} : { validUntil: end }),
  };
}

function namedKeys({ files, extra }: Case, corpus: Corpus): TrustedKey[] {
  return Object.entries(extra?.keysByKeyid ?? {}).flatMap(([keyId, member]) => {
    const file = files[member];
    return file === undefined ? [] : [{ name: keyId, keyId, publicKey: spkiPem(corpus.read(file)) }];
  });
}

/** As trust documents hold keys; what is no key is theirs to refuse. */
function spkiPem(file: Buffer): string {
  try {
    return createPublicKey(file).export({ type: "spki", format: "pem" }).toString();
  } catch {
    return file.toString();
  }
}

function npmKeys(file: Buffer): TrustedKey[] {
  return readNpmKeys(parseJson(file) as JsonObject, "keys.json");
}
