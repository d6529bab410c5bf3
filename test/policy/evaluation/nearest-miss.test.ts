import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { alone } from "../../../src/policy/question.ts";
import { anArtifact, HOSTED_RUNNER, releaseOf, workflowSigner } from "../../support/attestations.ts";
import fc from "../../support/fc.ts";
import { NOW, RELEASE_POLICY } from "../../support/policies.ts";

describe("the order of a failure's checks", () => {
  test("the nearest miss comes first, its failures before the rest", () => {
    const artifact = anArtifact();
    const near = releaseOf({ artifact, subjectName: "tool.tar.gz" });
    const far = releaseOf({ artifact, subjectName: "tool.tar.gz", buildType: "x", builderId: "y" });
    const { checks } = evaluate(RELEASE_POLICY, alone(artifact, [far, near]), NOW);
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
    const { checks } = evaluate(RELEASE_POLICY, alone(artifact, [...strangers, own]), NOW);
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
    for (const { expected, actual } of evaluate(RELEASE_POLICY, alone(artifact, [release]), NOW).checks) {
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
        evaluate(RELEASE_POLICY, alone(artifact, all), NOW),
        evaluate(RELEASE_POLICY, alone(artifact, other), NOW),
      );
    }),
    { numRuns: 200 },
  );
});
