import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createTrust } from "../../src/trust/snapshot.ts";
import {
  type Artifact,
  CHECKLIST,
  type Demands,
  goThrough,
  type Outcome,
} from "../../src/verify/checklist.ts";
import { statementAbout } from "../sigstore/provenance.ts";
import { bytesOf, envelope, SIGNERS, trustedKey } from "./envelopes.ts";
import {
  artifact,
  artifactDigest,
  type BundleJson,
  mutated,
  NOW,
  type SignedBundles,
  signBundles,
} from "./signed-bundles.ts";

let signed: SignedBundles;
before(async () => {
  signed = await signBundles();
});
after(() => signed.sigstore.close());

const WIDGET: Artifact = { digests: [artifactDigest] };

/** Which step failed, with its code; undefined for none. */
function failing(evidence: unknown, demands: Demands = {}, about: Artifact = WIDGET, trust = signed.trust) {
  const { steps, refusal, passed } = goThrough(bytesOf(evidence), trust, about, demands, NOW);
  const [failed, ...others] = steps.filter(({ outcome }) => outcome === "failed");
  assert.equal(passed, failed === undefined);
  assert.deepEqual(others, [], "at most one step fails");
  const after = failed === undefined ? [] : steps.slice(steps.indexOf(failed) + 1);
  assert.ok(
    after.every(({ outcome }) => outcome === "not-reached"),
    "nothing is said of the steps after it",
  );
  return failed && `${failed.step} ${refusal?.code}`;
}

describe("the step that fails is told", () => {
  const cases: readonly (readonly [string, (copy: BundleJson) => void, string])[] = [
    ["another media type", (copy) => Object.assign(copy, { mediaType: "x" }), "format malformed-bundle"],
    [
      "a certificate that cannot be read",
      ({ verificationMaterial }) => {
        verificationMaterial.certificate = { rawBytes: "AAAA" };
      },
      "certificate certificate-invalid",
    ],
    [
      "a log entry of another signature",
      (copy) => {
        copy.verificationMaterial.timestampVerificationData = undefined;
        copy.verificationMaterial.tlogEntries = signed.blob.verificationMaterial.tlogEntries;
      },
      "log log-entry-invalid",
    ],
  ];
  for (const [name, change, expected] of cases) {
    test(`${name}: ${expected}`, () => assert.equal(failing(mutated(signed.provenance, change)), expected));
  }

  test("nothing is wrong: none", () => assert.equal(failing(signed.provenance), undefined));

  test("nobody trusted issued the certificate: certificate", () => {
    const nobody = createTrust({ sigstore: [], keys: [] });
    assert.equal(failing(signed.provenance, {}, WIDGET, nobody), "certificate certificate-invalid");
  });

  test("somebody else signed it: identity, before what was signed is looked at", () => {
    assert.equal(
      failing(signed.provenance, { signers: [{ case: "key", name: "k" }], predicateTypes: ["x"] }),
      "identity signer-mismatch",
    );
  });

  test("it is about something else: subject", () => {
    assert.equal(failing(signed.provenance, {}, { digests: [] }), "subject subject-mismatch");
  });
});

describe("what a key signed", () => {
  const [signer] = SIGNERS;
  assert.ok(signer);
  const trust = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
  const signedBy = (statement: unknown, payloadType?: string) =>
    envelope([signer], { statement, ...(payloadType !== undefined && { payloadType }) });
  const failure = (evidence: unknown, demands?: Demands, about?: Artifact) =>
    failing(evidence, demands, about, trust);
  const summary = { verifierId: "v", resourceUri: "r", verifiedLevels: [] };

  test("needs no certificate and no log, and is not said to have them", () => {
    const evidence = signedBy(statementAbout([artifact], "https://slsa.dev/provenance/v1", {}));
    const { steps } = goThrough(bytesOf(evidence), trust, WIDGET, {}, NOW);
    const outcomes = new Map<string, Outcome>(steps.map(({ step, outcome }) => [step, outcome]));
    assert.deepEqual([...outcomes.keys()], [...CHECKLIST]);
    for (const step of ["time", "certificate", "sct", "log", "identity"])
      assert.equal(outcomes.get(step), "not-needed");
    for (const step of ["format", "signature", "statement", "subject"])
      assert.equal(outcomes.get(step), "passed");
  });

  test("and is no Statement, or of an unknown type: statement", () => {
    assert.equal(failure(signedBy({}, "text/plain")), "statement malformed-statement");
    assert.equal(
      failure(signedBy(statementAbout([artifact], "https://x.example/v1", {}))),
      "statement unknown-predicate-type",
    );
  });

  test("and is a summary that is not one: statement", () => {
    const broken = signedBy(statementAbout([artifact], "https://slsa.dev/verification_summary/v1", {}));
    assert.equal(failure(broken, { summary }), "statement malformed-statement");
    assert.equal(failure(broken), undefined, "nobody asked for a summary");
  });

  test("names what knows no digest in a summary alone, and by the whole name", () => {
    const named = (predicateType: string) =>
      signedBy({
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ digest: { gce_image_id: "123" } }],
        predicateType,
        predicate: {
          verifier: { id: "v" },
          resourceUri: "r",
          verificationResult: "PASSED",
          verifiedLevels: [],
        },
      });
    const vsa = named("https://slsa.dev/verification_summary/v1");
    const alias = { digests: [], alias: "gce_image_id:123" };
    assert.equal(failure(vsa, { summary }, alias), undefined);
    assert.equal(
      failure(vsa, { summary }, { digests: [], alias: "gce_image_id:12" }),
      "subject subject-mismatch",
    );
    assert.equal(failure(vsa, {}, alias), "subject subject-mismatch");
    assert.equal(
      failure(named("https://slsa.dev/provenance/v1"), { summary }, alias),
      "statement statement-mismatch",
    );
  });
});
