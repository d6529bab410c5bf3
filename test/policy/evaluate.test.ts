import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Digest, digestOf, hexOf } from "../../src/in-toto-attestation/index.ts";
import { appliesTo, evaluate } from "../../src/policy/evaluate.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { VerificationPolicy } from "../../src/policy/policy.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import {
  anArtifact,
  attestationOf,
  GITHUB_BUILD_TYPE,
  HOSTED_RUNNER,
  keySigner,
  type Release,
  releaseOf,
  SIGNED_AT,
  workflowSigner,
} from "../support/attestations.ts";

const IDENTITY = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*";
const NOW = SIGNED_AT + 60_000;

const RELEASE_SPEC = `
  artifacts: {names: ["app.*"]}
  signers:
    - {issuer: https://token.actions.githubusercontent.com, identity: "${IDENTITY}"}
  predicateTypes: [https://slsa.dev/provenance/v1]
  maxAge: 30d
  builders:
    - {id: ${HOSTED_RUNNER}, level: 3}
  buildTypes: [${GITHUB_BUILD_TYPE}]
  source: {repositories: [https://github.com/acme/app], refs: [refs/tags/v*]}
  externalParameters:
    require:
      workflow: {repository: https://github.com/acme/app, ref: refs/tags/v*, path: .github/workflows/release.yml}
  rules:
    - {name: pushed, cel: predicate.buildDefinition.internalParameters.github.event_name == "push"}
`;

function policyOf(spec: string): VerificationPolicy {
  const text = `apiVersion: vouchsafe.dev/v1\nkind: VerificationPolicy\nmetadata: {name: p}\nspec:\n${spec}`;
  const policy = loadPolicySet([{ name: "p.yaml", text }]).policies.get("p");
  assert.ok(policy);
  return policy;
}

const RELEASE_POLICY = policyOf(RELEASE_SPEC);

/** The checks that failed of the attestation that is nearest to passing, sorted. */
function missesOf(
  policy: VerificationPolicy,
  artifact: Digest,
  ...evidence: VerifiedAttestation[]
): string[] {
  const { outcome, checks, attestations, slsaLevel } = evaluate(policy, artifact, evidence, NOW);
  assert.equal(outcome, "failed");
  assert.deepEqual([attestations, slsaLevel], [[], 0]);
  const nearest = checks.filter(({ attestation }) => attestation === checks[0]?.attestation);
  return nearest.flatMap(({ check, passed }) => (passed ? [] : [check])).sort();
}

test("a release that is all that the policy asks for passes", () => {
  const artifact = anArtifact();
  const release = releaseOf({ artifact });
  const evaluation = evaluate(RELEASE_POLICY, artifact, [release], NOW);
  assert.equal(evaluation.outcome, "passed");
  assert.equal(evaluation.slsaLevel, 3);
  assert.deepEqual(evaluation.attestations, [release.id]);
  assert.equal(evaluation.validUntil, SIGNED_AT + 30 * 86_400_000);
  assert.ok(evaluation.checks.every(({ passed, attestation }) => passed && attestation === release.id));
});

describe("one thing that is not as the policy asks fails that check and no other", () => {
  const OWN_SIGNER = workflowSigner(IDENTITY.replace("*", "1"), {
    sourceRepositoryUri: "https://github.com/acme/app",
    sourceRepositoryRef: "refs/tags/v1.2.3",
  });
  const MISSES: readonly [name: string, change: Omit<Release, "artifact">, ...failed: string[]][] = [
    ["an unknown builder", { builderId: `${HOSTED_RUNNER}2` }, "builder"],
    [
      "a builder that a known one is a prefix of",
      { builderId: "https://github.com/actions/runner" },
      "builder",
    ],
    ["another build type", { buildType: `${GITHUB_BUILD_TYPE}1` }, "buildType"],
    ["another subject name", { subjectName: "tool.tar.gz" }, "artifact.name"],
    ["an old signature", { times: [NOW - 30 * 86_400_000] }, "maxAge"],
    ["an old signature with a fresh timestamp", { times: [NOW - 31 * 86_400_000, NOW] }, "maxAge"],
    ["no trusted time", { times: [] }, "maxAge"],
    [
      "another commit in the certificate",
      { claims: { sourceRepositoryDigest: "0".repeat(40) } },
      "source.agreement",
    ],
    [
      "another repository in the certificate",
      { claims: { sourceRepositoryUri: "https://github.com/evil/app" } },
      "source.agreement",
    ],
    [
      "another repository in provenance that a trusted signer signed",
      { repository: "https://github.com/evil/app", signer: OWN_SIGNER },
      "externalParameters.workflow.repository",
      "source.agreement",
      "source.repository",
    ],
    [
      "another ref",
      { ref: "refs/heads/v1" },
      "builder",
      "externalParameters.workflow.ref",
      "rule:pushed",
      "signer",
      "source.ref",
    ],
    [
      "an external parameter that is not listed",
      {
        externalParameters: {
          workflow: {
            repository: "https://github.com/acme/app",
            ref: "refs/tags/v1.2.3",
            path: ".github/workflows/release.yml",
          },
          debug: true,
        },
      },
      "externalParameters",
    ],
  ];
  for (const [name, change, ...failed] of MISSES) {
    test(name, () => {
      const artifact = anArtifact();
      assert.deepEqual(missesOf(RELEASE_POLICY, artifact, releaseOf({ artifact, ...change })), failed);
    });
  }

  test("a false rule", () => {
    const artifact = anArtifact();
    const spec = RELEASE_SPEC.replace('"push"', '"workflow_dispatch"');
    assert.deepEqual(missesOf(policyOf(spec), artifact, releaseOf({ artifact })), ["rule:pushed"]);
  });

  test("a predicate that is not provenance", () => {
    const artifact = anArtifact();
    const scan = attestationOf({
      artifact,
      subjectName: "app.tar.gz",
      predicateType: "https://example.com/scan/v1",
      predicate: {},
      signer: OWN_SIGNER,
    });
    const failed = missesOf(RELEASE_POLICY, artifact, scan);
    assert.deepEqual(failed, ["predicateType", "provenance", "rule:pushed"]);
  });

  test("provenance that is malformed", () => {
    const artifact = anArtifact();
    const broken = attestationOf({
      artifact,
      subjectName: "app.tar.gz",
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: { buildDefinition: { buildType: 7 } },
      signer: OWN_SIGNER,
    });
    assert.deepEqual(missesOf(RELEASE_POLICY, artifact, broken), ["provenance", "rule:pushed"]);
  });
});

describe("who may speak for a builder", () => {
  const SHARED = "https://github.com/shared/builders/.github/workflows/go.yml@refs/tags/v2";
  const spec = `
  artifacts: {names: ["**"]}
  signers:
    - {issuer: https://token.actions.githubusercontent.com, identity: "${SHARED}"}
    - {key: laptop}
  builders:
    - {id: "${SHARED}", level: 3, signers: [{issuer: https://token.actions.githubusercontent.com, identity: "${SHARED}"}]}
    - {id: "**", level: 1}
  externalParameters: {ignore: ["**"]}
`;
  const claims = { sourceRepositoryUri: "https://github.com/acme/app" };

  test("the signer that the policy maps to it is believed", () => {
    const artifact = anArtifact();
    const release = releaseOf({ artifact, builderId: SHARED, signer: workflowSigner(SHARED, claims) });
    assert.equal(evaluate(policyOf(spec), artifact, [release], NOW).slsaLevel, 3);
  });

  test("another trusted signer that claims the same builder gets only what it is mapped to", () => {
    const artifact = anArtifact();
    const release = releaseOf({ artifact, builderId: SHARED, signer: keySigner("laptop") });
    assert.equal(evaluate(policyOf(spec), artifact, [release], NOW).slsaLevel, 1);
    const strict = policyOf(spec.replace('    - {id: "**", level: 1}\n', ""));
    assert.deepEqual(missesOf(strict, artifact, release), ["builder"]);
  });

  test("another issuer's certificate with the same identity is somebody else's", () => {
    const artifact = anArtifact();
    const claims = { sourceRepositoryUri: "https://github.com/acme/app" };
    const signer = {
      ...workflowSigner(IDENTITY.replace("*", "1"), claims),
      issuer: "https://issuer.example",
    };
    assert.deepEqual(missesOf(RELEASE_POLICY, artifact, releaseOf({ artifact, signer })), [
      "builder",
      "rule:pushed",
      "signer",
    ]);
  });

  test("the evidence of the highest level is what a pass rests on", () => {
    const artifact = anArtifact();
    const low = releaseOf({
      artifact,
      builderId: SHARED,
      signer: keySigner("laptop"),
      times: [SIGNED_AT + 1],
    });
    const high = releaseOf({ artifact, builderId: SHARED, signer: workflowSigner(SHARED, claims) });
    for (const evidence of [
      [low, high],
      [high, low],
    ]) {
      const { slsaLevel, attestations } = evaluate(policyOf(spec), artifact, evidence, NOW);
      assert.deepEqual([slsaLevel, attestations], [3, [high.id]]);
    }
  });

  test("a key's name is no certificate's identity", () => {
    const artifact = anArtifact();
    const policy = policyOf(spec.replace("{key: laptop}", `{key: "${SHARED}1"}`));
    const release = releaseOf({ artifact, builderId: SHARED, signer: workflowSigner(`${SHARED}1`, claims) });
    assert.ok(missesOf(policy, artifact, release).includes("signer"));
  });
});

describe("external parameters", () => {
  const policyWith = (parameters: string) =>
    policyOf(`
  artifacts: {names: ["**"]}
  signers: [{key: builder}]
  buildTypes: ["**"]
${parameters}`);
  const PARAMETERS = { channel: "stable", retries: 3, debug: false, targets: ["x64", "arm64"], none: null };
  const release = (artifact: Digest) =>
    releaseOf({ artifact, signer: keySigner("builder"), externalParameters: PARAMETERS });

  const HOLD = [
    '  externalParameters: {ignore: ["**"]}',
    "  externalParameters: {require: {channel: stable, retries: 3, debug: false, targets: [x64, arm64]}}",
    '  externalParameters: {allow: {channel: [beta, "st*"], retries: [2, 3], targets: ["**"], debug: false}}',
    '  externalParameters: {allow: {absent: "x"}, ignore: [channel, retries, debug, "t*"]}',
  ];
  for (const parameters of HOLD) {
    test(`hold:${parameters}`, () => {
      const artifact = anArtifact();
      assert.equal(evaluate(policyWith(parameters), artifact, [release(artifact)], NOW).outcome, "passed");
    });
  }

  const FAIL: readonly [parameters: string, ...failed: string[]][] = [
    // A policy on provenance that does not name them allows none.
    ["", "externalParameters"],
    ['  externalParameters: {require: {absent: "**"}, ignore: ["**"]}', "externalParameters.absent"],
    ['  externalParameters: {require: {none: null}, ignore: ["**"]}', "externalParameters.none"],
    ['  externalParameters: {allow: {channel: beta}, ignore: ["**"]}', "externalParameters.channel"],
    ['  externalParameters: {allow: {retries: "3"}, ignore: ["**"]}', "externalParameters.retries"],
    ['  externalParameters: {allow: {debug: "**"}, ignore: ["**"]}', "externalParameters.debug"],
    ['  externalParameters: {allow: {targets: [x64]}, ignore: ["**"]}', "externalParameters.targets"],
    [
      '  externalParameters: {allow: {channel: {name: stable}}, ignore: ["**"]}',
      "externalParameters.channel",
    ],
    ["  externalParameters: {ignore: [channel, retries, debug]}", "externalParameters"],
  ];
  for (const [parameters, ...failed] of FAIL) {
    test(`fail:${parameters}`, () => {
      const artifact = anArtifact();
      assert.deepEqual(missesOf(policyWith(parameters), artifact, release(artifact)), failed);
    });
  }

  test("an unlisted member of a listed object fails, however deep", () => {
    const artifact = anArtifact();
    const externalParameters = { build: { image: "node", options: { cache: "no", network: "host" } } };
    const built = releaseOf({ artifact, signer: keySigner("builder"), externalParameters });
    const policy = policyWith("  externalParameters: {allow: {build: {image: node, options: {cache: no}}}}");
    assert.deepEqual(missesOf(policy, artifact, built), ["externalParameters.build.options"]);
  });
});

describe("what cannot pass", () => {
  test("an artifact without evidence", () => {
    assert.deepEqual(missesOf(RELEASE_POLICY, anArtifact()), ["evidence"]);
  });

  test("evidence about another artifact", () => {
    assert.deepEqual(missesOf(RELEASE_POLICY, anArtifact(), releaseOf({ artifact: anArtifact() })), [
      "evidence",
    ]);
  });

  test("a digest that is too weak to ground anything", () => {
    for (const weak of [digestOf("sha1", "0".repeat(40)), digestOf("gitCommit", "0".repeat(40))]) {
      assert.deepEqual(missesOf(RELEASE_POLICY, weak, releaseOf({ artifact: weak })), ["artifact.algorithm"]);
    }
  });

  test("the same digits under another algorithm", () => {
    const artifact = anArtifact();
    const other = digestOf("sha3_256", hexOf(artifact));
    assert.deepEqual(missesOf(RELEASE_POLICY, artifact, releaseOf({ artifact: other })), ["evidence"]);
  });

  test("a plain object that looks like a verified attestation", () => {
    const artifact = anArtifact();
    const forged = { ...releaseOf({ artifact }) } as VerifiedAttestation;
    assert.throws(() => evaluate(RELEASE_POLICY, artifact, [forged], NOW), TypeError);
  });

  test("evidence on the instant that it gets too old", () => {
    const artifact = anArtifact();
    const evaluation = evaluate(RELEASE_POLICY, artifact, [releaseOf({ artifact })], NOW);
    const { validUntil = 0 } = evaluation;
    const at = (now: number) => evaluate(RELEASE_POLICY, artifact, [releaseOf({ artifact })], now).outcome;
    assert.deepEqual([at(validUntil - 1), at(validUntil)], ["passed", "failed"]);
  });
});

describe("the newest evidence of a signer counts", () => {
  const spec = `
  artifacts: {names: ["**"]}
  signers: [{key: scanner}, {key: other}, {issuer: https://token.actions.githubusercontent.com, identity: "**"}]
  rules: [{name: clean, cel: predicate.findings == 0}]
`;
  const scan = (
    artifact: Digest,
    findings: number,
    time: number | undefined,
    signer = keySigner("scanner"),
  ) =>
    attestationOf({
      artifact,
      predicateType: "https://example.com/scan/v1",
      predicate: { findings },
      signer,
      times: time === undefined ? [] : [time],
    });
  const outcome = (artifact: Digest, ...evidence: VerifiedAttestation[]) =>
    evaluate(policyOf(spec), artifact, evidence, NOW).outcome;

  test("an older passing scan does not hide a newer failing one", () => {
    const artifact = anArtifact();
    assert.equal(outcome(artifact, scan(artifact, 0, 1_000), scan(artifact, 7, 2_000)), "failed");
    assert.equal(outcome(artifact, scan(artifact, 0, 3_000), scan(artifact, 7, 2_000)), "passed");
  });

  test("another signer's does not displace it", () => {
    const artifact = anArtifact();
    const stranger = keySigner("other");
    assert.equal(outcome(artifact, scan(artifact, 0, 1_000), scan(artifact, 7, 2_000, stranger)), "passed");
  });

  test("a build of another repository by the same shared workflow does not displace it", () => {
    const artifact = anArtifact();
    const by = (repository: string) =>
      workflowSigner("https://github.com/shared/w/.github/workflows/w.yml@refs/tags/v1", {
        sourceRepositoryUri: repository,
      });
    const own = scan(artifact, 0, 1_000, by("https://github.com/acme/app"));
    const foreign = scan(artifact, 7, 2_000, by("https://github.com/evil/app"));
    assert.equal(outcome(artifact, own, foreign), "passed");
  });
});

describe("the order of a failure's checks", () => {
  test("the nearest miss comes first, its failures before the rest", () => {
    const artifact = anArtifact();
    const near = releaseOf({ artifact, subjectName: "tool.tar.gz" });
    const far = releaseOf({ artifact, subjectName: "tool.tar.gz", buildType: "x", builderId: "y" });
    const { checks } = evaluate(RELEASE_POLICY, artifact, [far, near], NOW);
    assert.equal(checks[0]?.check, "artifact.name");
    assert.equal(checks[0]?.attestation, near.id);
    const firstPassed = checks.findIndex(({ passed }) => passed);
    const ofNearest = checks.filter(({ attestation }) => attestation === near.id);
    assert.ok(ofNearest.slice(firstPassed).every(({ passed }) => passed));
  });

  test("strangers cannot crowd out what a trusted signer signed, nor make the list long", () => {
    const artifact = anArtifact();
    const own = releaseOf({ artifact, buildType: "x", builderId: "y", subjectName: "z" });
    const claims = { sourceRepositoryUri: "https://github.com/acme/app" };
    const strangers = Array.from({ length: 50 }, (_, index) =>
      releaseOf({ artifact, signer: workflowSigner(`https://github.com/evil/app/w.yml@${index}`, claims) }),
    );
    const { checks } = evaluate(RELEASE_POLICY, artifact, [...strangers, own], NOW);
    assert.equal(checks[0]?.attestation, own.id);
    assert.ok(new Set(checks.map(({ attestation }) => attestation)).size <= 5);
  });

  test("what strangers write is shown short and on one line", () => {
    const artifact = anArtifact();
    const ugly = "\u001b[2J\r\n\u202e";
    const text = `${ugly}${"x".repeat(100_000)}`;
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`${ugly}${index}`, {}]));
    const externalParameters = { ...many, workflow: many, [text]: text };
    const release = releaseOf({ artifact, builderId: text, subjectName: text, externalParameters });
    for (const { expected, actual } of evaluate(RELEASE_POLICY, artifact, [release], NOW).checks) {
      assert.ok(expected.length < 4_000 && actual.length < 4_000);
      assert.doesNotMatch(actual, /\p{C}/u);
    }
  });
});

test("the same evidence in any order gives the same evaluation", () => {
  const artifact = anArtifact();
  const change = fc.record(
    {
      subjectName: fc.constantFrom("app.tar.gz", "tool"),
      builderId: fc.constantFrom(HOSTED_RUNNER, "x"),
      ref: fc.constantFrom("refs/tags/v1.2.3", "refs/heads/main"),
      times: fc.constantFrom([], [NOW - 1_000], [NOW - 2_000], [NOW - 1_000, NOW]),
    },
    { requiredKeys: [] },
  );
  const evidence = fc.array(
    change.map((changed) => releaseOf({ artifact, ...changed })),
    { maxLength: 6 },
  );
  const shuffled = evidence.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([all, other]) => {
      assert.deepEqual(
        evaluate(RELEASE_POLICY, artifact, all, NOW),
        evaluate(RELEASE_POLICY, artifact, other, NOW),
      );
    }),
    { numRuns: 200 },
  );
});

describe("which artifacts a policy applies to", () => {
  const applies = (artifacts: string, artifact: Digest, ...names: string[]) =>
    appliesTo(policyOf(`  artifacts: ${artifacts}\n  signers: [{key: k}]\n`), artifact, names);
  const artifact = anArtifact();

  test("by name", () => {
    assert.equal(applies('{names: ["app-*"]}', artifact, "tool", "app-1"), true);
    assert.equal(applies('{names: ["app-*"]}', artifact, "tool"), false);
    assert.equal(applies('{names: ["app-*"]}', artifact), false);
    assert.equal(applies('{names: ["**"]}', artifact), true);
    assert.equal(applies('{names: ["pkg:npm/%40acme/app@*"]}', artifact, "pkg:npm/%40acme/app@1.2.3"), true);
  });

  test("by digest, and by both", () => {
    assert.equal(applies(`{digests: ["${artifact}"]}`, artifact), true);
    assert.equal(applies(`{digests: ["${artifact}"]}`, anArtifact()), false);
    assert.equal(applies(`{digests: ["${artifact}"], names: [app]}`, artifact, "tool"), false);
    assert.equal(applies(`{digests: ["${artifact}"], names: [app]}`, artifact, "app"), true);
  });
});
