import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { alone } from "../../../src/policy/question.ts";
import type { Findings } from "../../../src/verify/findings.ts";
import { anArtifact, attestationOf, keySigner } from "../../support/attestations.ts";
import { NOW, policyOf } from "../../support/policies.ts";

const artifact = anArtifact();

function policy(thresholds: string) {
  return policyOf(`
  artifacts: {names: ["**"]}
  signers: [{key: scanner}]
  thresholds: ${thresholds}
`);
}

/** The checks that fail for evidence of which verification found this. */
function failing(thresholds: string, findings: Partial<Findings>): string[] {
  const evidence = attestationOf({
    artifact,
    predicateType: "https://example.com/scan",
    predicate: {},
    signer: keySigner("scanner"),
    findings,
  });
  const { checks } = evaluate(policy(thresholds), alone(artifact, [evidence]), NOW);
  return checks.filter(({ passed }) => !passed).map(({ check }) => check);
}

const log = (operator: string) => ({ log: operator, operator, kind: "dsse 0.0.1", proven: true });
const time = (operator: string) => ({ source: "log", name: operator, operator, time: NOW }) as const;

test("a policy asks for evidence of more operators than trust does", () => {
  const both = { logEntries: [log("a"), log("b")], times: [time("a"), time("b")] };
  assert.deepEqual(failing("{logEntries: 2, timestamps: 2}", both), []);
  assert.deepEqual(failing("{logEntries: 3, timestamps: 2}", both), ["thresholds.logEntries"]);
  assert.deepEqual(failing("{scts: 1}", both), ["thresholds.scts"]);
});

test("what one operator runs counts once", () => {
  const one = { logEntries: [log("a"), log("a")], times: [time("a"), time("a")] };
  assert.deepEqual(failing("{logEntries: 2, timestamps: 2}", one), [
    "thresholds.logEntries",
    "thresholds.timestamps",
  ]);
});

test("a policy cannot ask for less than nothing, for nothing at all, or for what nobody counts", () => {
  for (const thresholds of ["{logEntries: 0}", "{timestamps: 9}", "{}", "{witnesses: 1}"]) {
    assert.throws(() => policy(thresholds), { code: "invalid-policy" });
  }
});
