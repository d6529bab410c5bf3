import assert from "node:assert/strict";
import { test } from "node:test";
import { sequence } from "../../src/der/writer.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { CODE_SIGNING, EXTENSION } from "../../src/x509/oids.ts";
import { bytesOf } from "./envelopes.ts";
import { CA, extension, type Holder, issueCertificate, newKeys } from "./issued-certificates.ts";
import { envelopeBy, IDENTITY } from "./private-path.ts";
import { ctLog, sctExtension, sctOf } from "./scts.ts";
import { NOW } from "./signed-bundles.ts";
import { root as timestampRoot, tsa } from "./trusted-tsa.ts";

// Two authorities of one name, as while a key is replaced: which of them issued a certificate, its signature alone says.

const log = ctLog();
const older = issueCertificate({ name: "ca", extensions: [CA] });
const newer = issueCertificate({ name: "ca", extensions: [CA] });

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const authorityOf = (...chain: readonly Holder[]) => ({
  certChain: { certificates: chain.map(({ certificate }) => ({ rawBytes: base64(certificate) })) },
  validFor: { start: "2020-01-01T00:00:00Z" },
});

/** Evidence by a certificate of the newer authority that a log was told of as this one's. */
function verify(toldAs: Holder) {
  const trustedRoot = {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    certificateAuthorities: [authorityOf(older), authorityOf(newer)],
    timestampAuthorities: [authorityOf(tsa, timestampRoot)],
    ctlogs: [
      {
        hashAlgorithm: "SHA2_256",
        publicKey: {
          rawBytes: base64(log.authority.spki),
          keyDetails: "PKIX_ECDSA_P256_SHA_256",
          validFor: { start: "2020-01-01T00:00:00Z" },
        },
        logId: { keyId: Buffer.from(log.authority.logId, "hex").toString("base64") },
      },
    ],
  };
  const signing = extension(EXTENSION.extKeyUsage, sequence(CODE_SIGNING));
  const plain = { name: "leaf", issuer: newer, keys: newKeys(), extensions: [signing, IDENTITY] };
  const scts = sctExtension(sctOf(log, plain, { issuer: toldAs }));
  const leaf = issueCertificate({ ...plain, extensions: [...plain.extensions, scts] });
  const trust = createTrust({ sigstore: [{ name: "own", trustedRoot }], keys: [] });
  return verifyEvidence(bytesOf(envelopeBy(leaf)), trust, NOW);
}

test("an SCT counts under the authority that issued the certificate, and once", () => {
  assert.deepEqual(
    verify(newer).findings.scts.map(({ log: logId }) => logId),
    [log.authority.logId],
  );
});

test("an SCT for the key of another authority of the same name counts for nothing", () => {
  assert.throws(() => verify(older), { code: "certificate-invalid", step: "sct" });
});
