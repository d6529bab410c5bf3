import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { VouchsafeError } from "../../src/errors.ts";
import { parseDigest, sha256 } from "../../src/in-toto-attestation/index.ts";
import { createTrust, type TrustDocument, type TrustSnapshot } from "../../src/trust/snapshot.ts";
import { embeddedPublicGood } from "../../src/trust/sources.ts";
import { verifyNpmAttestations } from "../../src/verify/npm-attestations.ts";
import { requireSubject } from "../../src/verify/subject.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { actionsClaims, actionsIdentity } from "../sigstore/github-actions.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { bytesOf, envelope, SIGNERS, STATEMENT, trustedKey } from "./envelopes.ts";

const NOW = 1_800_000_000_000;
const artifact = { name: "widget.tgz", bytes: Buffer.from("the widget") };
const artifactDigest = sha256(artifact.bytes);

interface BundleJson {
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
    timestampVerificationData?: unknown;
  };
}

let sigstore: Sigstore;
let local: TrustDocument["sigstore"][number];
let trust: TrustSnapshot;
let provenance: BundleJson;
let blob: BundleJson;
before(async () => {
  // Whole seconds: @sigstore/core cannot read a fraction whose last digit is a dropped zero.
  sigstore = await startSigstore({ tsa: () => Math.ceil(Date.now() / 1000) * 1000 });
  local = { name: "local", trustedRoot: sigstore.trustedRoot };
  trust = createTrust({ sigstore: [local], keys: [] });
  provenance = parse(
    await sigstore.signStatement(slsaProvenance([artifact]), { witnesses: ["rekor", "tsa"] }),
  );
  blob = parse(await sigstore.signBlob(artifact.bytes));
});
after(() => sigstore.close());

const parse = (bytes: Uint8Array): BundleJson => JSON.parse(Buffer.from(bytes).toString());
const verify = (bundle: unknown, under = trust) => verifyEvidence(bytesOf(bundle), under, NOW);

/** Refuses the bundle after `change` was made to a copy of it. */
function refuses(bundle: BundleJson, code: string, change: (copy: BundleJson) => void, under = trust): void {
  const copy: BundleJson = structuredClone(bundle);
  change(copy);
  assert.throws(() => verify(copy, under), { name: "VouchsafeError", code });
}

describe("a bundle that a certificate signed", () => {
  test("says who signed what, when, and under which instance", () => {
    const attestation = verify(provenance);
    const claims = actionsClaims();
    assert.ok(attestation.signer.case === "certificate");
    assert.equal(attestation.signer.issuer, claims.iss);
    assert.equal(attestation.signer.identity, actionsIdentity(claims));
    assert.equal(attestation.signer.instance, "local");
    assert.equal(attestation.signer.claims.sourceRepositoryDigest, claims.sha);
    assert.equal(attestation.signer.claims.runnerEnvironment, "github-hosted");
    assert.deepEqual(attestation.subjects, [{ name: artifact.name, digests: [artifactDigest] }]);
    assert.equal(attestation.id, sha256(bytesOf(provenance)));
    assert.equal(attestation.times.length, 2, "the log's time and the timestamp authority's");
    assert.deepEqual([...attestation.times].sort(), attestation.times);
  });

  test("counts no time that the log did not promise", () => {
    const without = mutated(provenance, (copy) => withEntry(copy, { inclusionPromise: undefined }));
    assert.equal(verify(without).times.length, 1, "the timestamp authority's");
  });

  test("over a blob is verified from the digest alone", () => {
    const attestation = verify(blob);
    assert.deepEqual(attestation.subjects, [{ digests: [artifactDigest] }]);
    assert.equal(attestation.statement, undefined);
  });

  test("verifies under the instance that issued the certificate, wherever that stands", async () => {
    const others = createTrust({ sigstore: [await embeddedPublicGood(), local], keys: [] });
    const { signer } = verify(provenance, others);
    assert.equal(signer.case === "certificate" && signer.instance, "local");
    const without = createTrust({ sigstore: [await embeddedPublicGood()], keys: [] });
    refuses(provenance, "certificate-invalid", () => {}, without);
  });

  test("is refused when less is there than the trust document asks for", () => {
    const asking = (thresholds: object) => createTrust({ sigstore: [{ ...local, thresholds }], keys: [] });
    assert.doesNotThrow(() => verify(provenance, asking({ timestamps: 2 })));
    refuses(provenance, "time-unverified", () => {}, asking({ timestamps: 3 }));
    refuses(provenance, "log-entry-invalid", () => {}, asking({ logEntries: 2 }));
    refuses(provenance, "certificate-invalid", () => {}, asking({ scts: 2 }));
  });

  test("is refused without witnesses, and with the same one twice", () => {
    refuses(provenance, "log-entry-invalid", ({ verificationMaterial }) => {
      verificationMaterial.tlogEntries = [];
    });
    refuses(blob, "time-unverified", ({ verificationMaterial }) => {
      verificationMaterial.tlogEntries = [];
    });
    const twice = createTrust({ sigstore: [{ ...local, thresholds: { logEntries: 2 } }], keys: [] });
    const repeat = ({ verificationMaterial }: BundleJson) => {
      verificationMaterial.tlogEntries.push(...structuredClone(verificationMaterial.tlogEntries));
    };
    assert.throws(() => verify(mutated(blob, repeat), twice), { name: "VouchsafeError" });
  });

  test("is refused when the log's entry is of another signature", async () => {
    const later = parse(await sigstore.signStatement(slsaProvenance([artifact])));
    refuses(provenance, "log-entry-invalid", (copy) => {
      copy.verificationMaterial.tlogEntries = later.verificationMaterial.tlogEntries;
    });
  });

  test("is refused when its only time is one that no log promised", () => {
    refuses(blob, "time-unverified", (copy) => withEntry(copy, { inclusionPromise: undefined }));
    refuses(blob, "time-unverified", (copy) => withEntry(copy, { integratedTime: "0" }));
  });

  test("is refused with a certificate from a time before the log's", async () => {
    const late = await startSigstore({ rekor: () => Date.now() + 3_600_000 });
    try {
      const bundle = parse(await late.signStatement(slsaProvenance([artifact])));
      const under = createTrust({ sigstore: [{ name: "late", trustedRoot: late.trustedRoot }], keys: [] });
      refuses(bundle, "certificate-invalid", () => {}, under);
    } finally {
      await late.close();
    }
  });
});

describe("a bundle's shape", () => {
  const changes: [name: string, code: string, change: (copy: BundleJson) => void][] = [
    [
      "an unknown version",
      "malformed-bundle",
      (b) => Object.assign(b, { mediaType: "application/vnd.dev.sigstore.bundle.v0.9+json" }),
    ],
    ["a media type that is no string", "malformed-bundle", (b) => Object.assign(b, { mediaType: 3 })],
    ["an unknown member", "malformed-bundle", (b) => Object.assign(b, { more: 1 })],
    ["no verification material", "malformed-bundle", (b) => Object.assign(b, { verificationMaterial: null })],
    [
      "two contents",
      "malformed-bundle",
      (b) => Object.assign(b, { messageSignature: blob.messageSignature }),
    ],
    ["no content", "malformed-bundle", (b) => Object.assign(b, { dsseEnvelope: undefined })],
    ["two signatures", "malformed-bundle", (b) => b.dsseEnvelope.signatures.push({ sig: "c2ln" })],
    ["no key", "malformed-bundle", (b) => Object.assign(b.verificationMaterial, { certificate: undefined })],
    [
      "a certificate and a key",
      "malformed-bundle",
      (b) => Object.assign(b.verificationMaterial, { publicKey: { hint: "k" } }),
    ],
    [
      "a chain in v0.3",
      "malformed-bundle",
      ({ verificationMaterial: material }) =>
        Object.assign(material, {
          certificate: undefined,
          x509CertificateChain: { certificates: [material.certificate] },
        }),
    ],
    ["no inclusion proof in v0.3", "malformed-bundle", (b) => withEntry(b, { inclusionProof: undefined })],
    [
      "a proof without checkpoint",
      "malformed-bundle",
      (b) =>
        Object.assign(b.verificationMaterial.tlogEntries[0]?.inclusionProof ?? {}, { checkpoint: undefined }),
    ],
    ["a log index that is no whole number", "malformed-bundle", (b) => withEntry(b, { logIndex: "-1" })],
    ["a time with leading zeros", "malformed-bundle", (b) => withEntry(b, { integratedTime: "01" })],
    [
      "the withdrawn entry kind dsse 0.0.2",
      "malformed-bundle",
      (b) => withEntry(b, { kindVersion: { kind: "dsse", version: "0.0.2" } }),
    ],
    [
      "an entry kind that is inherited",
      "malformed-bundle",
      (b) => withEntry(b, { kindVersion: { kind: "__proto__", version: "" } }),
    ],
    [
      "base64 with white space",
      "malformed-envelope",
      (b) => Object.assign(b.dsseEnvelope, { payload: `${b.dsseEnvelope.payload}\n` }),
    ],
    [
      "nine log entries",
      "malformed-bundle",
      (b) =>
        Object.assign(b.verificationMaterial, {
          tlogEntries: Array(9).fill(b.verificationMaterial.tlogEntries[0]),
        }),
    ],
  ];
  for (const [name, code, change] of changes) {
    test(`is refused with ${name}`, () => refuses(provenance, code, change));
  }

  const digest = (changed: object) => (b: BundleJson) =>
    Object.assign(b.messageSignature.messageDigest, changed);
  test("is refused with a message digest that is none", () => {
    refuses(blob, "malformed-bundle", digest({ algorithm: "SHA1" }));
    refuses(blob, "malformed-bundle", digest({ algorithm: "SHA2_512" }));
    refuses(blob, "malformed-bundle", digest({ digest: "AAAA" }));
    refuses(blob, "malformed-bundle", (b) => Object.assign(b.messageSignature, { messageDigest: undefined }));
  });
});

describe("a certificate", () => {
  const withCertificate = (change: (der: Buffer) => Buffer) => (copy: BundleJson) => {
    const der = Buffer.from(copy.verificationMaterial.certificate?.rawBytes ?? "", "base64");
    copy.verificationMaterial.certificate = { rawBytes: change(der).toString("base64") };
  };
  const flipped = (der: Buffer, at: number) => {
    const copy = Buffer.from(der);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  test("with anything after it, or cut off, is refused", () => {
    refuses(
      provenance,
      "certificate-invalid",
      withCertificate((der) => Buffer.concat([der, Buffer.of(0)])),
    );
    refuses(
      provenance,
      "certificate-invalid",
      withCertificate((der) => der.subarray(0, -1)),
    );
  });

  test("whose signature value has another tag or unused bits is refused", () => {
    // The outer SEQUENCE ends with BIT STRING, its length, the count of unused bits, the signature.
    const signatureAt = (der: Buffer) => der.lastIndexOf(Buffer.of(0x00, 0x30)) - 2;
    refuses(
      provenance,
      "certificate-invalid",
      withCertificate((der) => flipped(der, signatureAt(der))),
    );
    refuses(
      provenance,
      "certificate-invalid",
      withCertificate((der) => flipped(der, signatureAt(der) + 2)),
    );
  });

  test("with any one bit changed is refused, always with our error", () => {
    const { length } = Buffer.from(provenance.verificationMaterial.certificate?.rawBytes ?? "", "base64");
    for (let at = 0; at < length; at += 7) {
      assert.throws(
        () =>
          verify(
            mutated(
              provenance,
              withCertificate((der) => flipped(der, at)),
            ),
          ),
        {
          name: "VouchsafeError",
        },
      );
    }
  });

  test("of an authority signs nothing", () => {
    const root = JSON.parse(JSON.stringify(sigstore.trustedRoot)).certificateAuthorities[0].certChain
      .certificates[0];
    refuses(provenance, "certificate-invalid", (copy) => {
      copy.verificationMaterial.certificate = root;
    });
  });
});

describe("a bundle that a key signed", () => {
  const mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

  for (const signer of SIGNERS) {
    test(`verifies with ${signer.name}`, () => {
      const keys = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
      for (const publicKey of [{ hint: signer.name }, {}]) {
        const bundle = { mediaType, verificationMaterial: { publicKey }, dsseEnvelope: envelope([signer]) };
        const attestation = verify(bundle, keys);
        assert.equal(attestation.signer.case === "key" && attestation.signer.name, signer.name);
      }
    });

    test(`over a digest verifies with ${signer.name}, or says that it cannot be`, () => {
      const keys = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
      const hash =
        signer.name.startsWith("p384-sha256") || !/^p(384|521)/.test(signer.name)
          ? "sha256"
          : signer.name.startsWith("p384")
            ? "sha384"
            : "sha512";
      const bundle = blobBundle(hash, signer.sign(artifact.bytes));
      if (signer.name === "ed25519") {
        assert.throws(() => verify(bundle, keys), { code: "unsupported-algorithm" });
      } else if (signer.name === "rsa-pss") {
        assert.throws(() => verify(bundle, keys), { code: "unknown-key" });
      } else {
        assert.equal(verify(bundle, keys).signer.case, "key");
        assert.throws(() => verify(blobBundle(hash, signer.sign(Buffer.from("other"))), keys), {
          code: "unknown-key",
        });
      }
    });
  }

  test("without a trusted time counts while its key is valid", () => {
    const [signer] = SIGNERS;
    assert.ok(signer);
    const bundle = { mediaType, verificationMaterial: { publicKey: {} }, dsseEnvelope: envelope([signer]) };
    const until = (time: number) =>
      createTrust({ sigstore: [], keys: [trustedKey(signer, { validUntil: new Date(time).toISOString() })] });
    assert.doesNotThrow(() => verify(bundle, until(NOW)));
    assert.throws(() => verify(bundle, until(NOW - 1)), { code: "time-unverified" });
  });

  test("is refused when its log entries are of a log that nobody trusts", () => {
    const [signer] = SIGNERS;
    assert.ok(signer);
    const { tlogEntries } = provenance.verificationMaterial;
    const bundle = {
      mediaType,
      verificationMaterial: { publicKey: {}, tlogEntries },
      dsseEnvelope: envelope([signer]),
    };
    assert.throws(() => verify(bundle, createTrust({ sigstore: [], keys: [trustedKey(signer)] })), {
      code: "log-entry-invalid",
    });
    assert.throws(() => verify(bundle, createTrust({ sigstore: [local], keys: [trustedKey(signer)] })), {
      code: "log-entry-invalid",
    });
  });

  test("counts only keys of the snapshot, whatever key stands in it", () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const stranger = {
      name: "stranger",
      publicKey,
      sign: (bytes: Uint8Array) => sign(null, bytes, privateKey),
    };
    const rawBytes = publicKey.export({ type: "spki", format: "der" }).toString("base64");
    const bundle = {
      mediaType,
      verificationMaterial: { publicKey: { rawBytes, keyDetails: "PKIX_ED25519" } },
      dsseEnvelope: envelope([stranger]),
    };
    const keys = createTrust({ sigstore: [], keys: SIGNERS.map((signer) => trustedKey(signer)) });
    assert.throws(() => verify(bundle, keys), { code: "unknown-key" });
  });

  function blobBundle(hash: string, signature: Buffer) {
    const algorithm = { sha256: "SHA2_256", sha384: "SHA2_384", sha512: "SHA2_512" }[hash];
    const digest = createHash(hash).update(artifact.bytes).digest("base64");
    return {
      mediaType,
      verificationMaterial: { publicKey: {} },
      messageSignature: { messageDigest: { algorithm, digest }, signature: signature.toString("base64") },
    };
  }
});

test("the artifact must be among the subjects, by a digest that can ground an allow", () => {
  const attestation = verify(provenance);
  assert.doesNotThrow(() => requireSubject(attestation, [sha256(Buffer.from("other")), artifactDigest]));
  for (const digests of [[], [sha256(Buffer.from("other"))]]) {
    assert.throws(() => requireSubject(attestation, digests), { code: "subject-mismatch" });
  }
});

test("a subject that is named by a weak digest alone is not named", () => {
  const [signer] = SIGNERS;
  assert.ok(signer);
  const sha1 = "5".repeat(40);
  const statement = { ...STATEMENT, subject: [{ name: "widget.tgz", digest: { sha1 } }] };
  const keys = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
  const attestation = verify(envelope([signer], { statement }), keys);
  assert.deepEqual(attestation.subjects[0]?.digests, [`sha1:${sha1}`]);
  assert.throws(() => requireSubject(attestation, [parseDigest(`sha1:${sha1}`)]), {
    code: "subject-mismatch",
  });
});

test("an npm registry's attestations are verified one by one, with their labels", () => {
  const predicateType = "https://slsa.dev/provenance/v1";
  const npm = (attestations: unknown) => verifyNpmAttestations(bytesOf({ attestations }), trust, NOW);
  assert.equal(npm([{ predicateType, bundle: provenance }])[0]?.statement?.predicateType, predicateType);
  assert.throws(() => npm([{ predicateType: "other", bundle: provenance }]), { code: "malformed-statement" });
  for (const attestations of [[], {}, [{}], [1], Array(33).fill({})]) {
    assert.throws(() => npm(attestations), { code: "unknown-evidence-format" });
  }
  assert.throws(() => verifyNpmAttestations(Buffer.from("{"), trust, NOW), {
    name: "VouchsafeError",
    code: "malformed-json",
  });
});

test("whatever is changed in a bundle, what verifies is what was signed, by whom, and when", () => {
  const text = JSON.stringify(provenance);
  const original = verify(provenance);
  fc.assert(
    fc.property(
      fc.nat(text.length - 1),
      fc.constantFrom("A", "B", "=", "0", "9", '"', "{", "\\"),
      (at, character) => {
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        try {
          const { signer, subjects, statement, times } = verifyEvidence(Buffer.from(changed), trust, NOW);
          const { signer: s, subjects: a, statement: t, times: w } = original;
          assert.deepEqual(
            { signer, subjects, statement, times },
            { signer: s, subjects: a, statement: t, times: w },
          );
        } catch (error) {
          if (!(error instanceof VouchsafeError)) throw error;
        }
      },
    ),
    { numRuns: 400 },
  );
});

function withEntry(bundle: BundleJson, changes: object): void {
  Object.assign(bundle.verificationMaterial.tlogEntries[0] ?? {}, changes);
}

function mutated(bundle: BundleJson, change: (copy: BundleJson) => void): BundleJson {
  const copy = structuredClone(bundle);
  change(copy);
  return copy;
}
