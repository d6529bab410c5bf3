import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  type Digest,
  type JsonObject,
  preAuthenticationEncoding,
  sha256,
} from "../../src/in-toto-attestation/index.ts";
import { loadPolicySet, type PolicySet } from "../../src/policy/load.ts";
import { encodeBase64 } from "../../src/tlog/base64.ts";
import { createTrust, type TrustSnapshot } from "../../src/trust/snapshot.ts";

/*
 * What tests put into logs: two artifacts, provenance of them by two keys, and the trust and policies that
 * believe the one or the other.
 */

export const ARTIFACT = sha256("the artifact");
export const OTHER = sha256("another artifact");

const builderKey = generateKeyPairSync("ed25519");
const secondKey = generateKeyPairSync("ed25519");

const RETENTION = `
apiVersion: vouchsafe.dev/v1
kind: RetentionPolicy
metadata: { name: retention }
spec: { default: day, classes: { day: { keep: 1d }, week: { keep: 7d } } }
`;

function policies(level: number, more = ""): PolicySet {
  const text = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec:
  artifacts: { names: ["**"] }
  signers: [{ key: builder }]
  builders: [{ id: https://builder.example/ci, level: ${level} }]
  buildTypes: [https://builder.example/type]
  externalParameters: { ignore: ["**"] }
${more}`;
  return loadPolicySet([
    { name: "release.yaml", text },
    { name: "retention.yaml", text: RETENTION },
  ]);
}

function trustOf(...keys: [string, KeyObject][]): TrustSnapshot {
  return createTrust({
    sigstore: [],
    keys: keys.map(([name, key]) => ({
      name,
      publicKey: key.export({ format: "pem", type: "spki" }) as string,
    })),
  });
}

/** A DSSE envelope of a Statement. */
function envelope(key: KeyObject, subjects: readonly Digest[], said: JsonObject): Uint8Array {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects.map((digest, i) => ({
      name: `file-${i}`,
      digest: { sha256: digest.slice("sha256:".length) },
    })),
    ...said,
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const payloadType = "application/vnd.in-toto+json";
  const sig = sign(null, preAuthenticationEncoding(payloadType, payload), key);
  return Buffer.from(
    JSON.stringify({ payload: encodeBase64(payload), payloadType, signatures: [{ sig: encodeBase64(sig) }] }),
  );
}

function provenance(key: KeyObject, run: string, subjects: readonly Digest[]): Uint8Array {
  return envelope(key, subjects, {
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: { buildType: "https://builder.example/type", externalParameters: { run } },
      runDetails: { builder: { id: "https://builder.example/ci" } },
    },
  });
}

export const firstTrust = trustOf(["builder", builderKey.publicKey]);
export const widerTrust = trustOf(["builder", builderKey.publicKey], ["second", secondKey.publicKey]);
export const otherTrust = trustOf(["second", secondKey.publicKey]);
export const firstPolicies = policies(2);
export const secondPolicies = policies(3);
export const byBuilder = (run: string, subjects: readonly Digest[] = [ARTIFACT]) =>
  provenance(builderKey.privateKey, run, subjects);
export const bySecond = (run: string) => provenance(secondKey.privateKey, run, [ARTIFACT]);

const SCAN = "https://in-toto.io/attestation/vulns/v0.2";
/** Asks for a scan of the run by the second key, besides provenance by the first. */
export const scannedPolicies = policies(
  2,
  `
  evidence: [{ name: scan, predicateTypes: ["${SCAN}"], signers: [{ key: second }] }]
  joins: [{ name: same-run, cel: evidence.scan.predicate.run == provenance.externalParameters.run }]
`,
);
export const scanBySecond = (run: string) =>
  envelope(secondKey.privateKey, [ARTIFACT], { predicateType: SCAN, predicate: { run } });
