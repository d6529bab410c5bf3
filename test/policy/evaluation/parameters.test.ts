import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Digest } from "../../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { alone } from "../../../src/policy/question.ts";
import { anArtifact, keySigner, releaseOf } from "../../support/attestations.ts";
import { missesOf, NOW, policyOf } from "../../support/policies.ts";

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
      assert.equal(
        evaluate(policyWith(parameters), alone(artifact, [release(artifact)]), NOW).outcome,
        "passed",
      );
    });
  }

  test("are not gone through one by one where there are more than builders write", () => {
    const [artifact, policy] = [anArtifact(), policyWith('  externalParameters: {ignore: ["**"]}')];
    const many = (count: number) =>
      releaseOf({
        artifact,
        signer: keySigner("builder"),
        externalParameters: Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, 1])),
      });
    assert.equal(evaluate(policy, alone(artifact, [many(10_000)]), NOW).outcome, "passed");
    assert.deepEqual(missesOf(policy, artifact, many(10_001)), ["externalParameters"]);
  });

  test("of a stranger are looked at only where they are few", () => {
    const [artifact, policy] = [anArtifact(), policyWith('  externalParameters: {ignore: ["**"]}')];
    const strangers = (count: number) =>
      releaseOf({
        artifact,
        signer: keySigner("mallory"),
        externalParameters: Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, 1])),
      });
    assert.deepEqual(missesOf(policy, artifact, strangers(60)), ["signer"]);
    assert.deepEqual(missesOf(policy, artifact, strangers(70)), ["externalParameters", "signer"]);
  });

  test("that hold a list of half a million members are answered", () => {
    const [artifact, policy] = [anArtifact(), policyWith("  externalParameters: {require: {list: x}}")];
    const externalParameters = { list: Array.from({ length: 499_000 }, () => 0) };
    for (const name of ["builder", "mallory"]) {
      const built = releaseOf({ artifact, signer: keySigner(name), externalParameters });
      assert.equal(evaluate(policy, alone(artifact, [built]), NOW).outcome, "failed");
    }
  });

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
