import assert from "node:assert/strict";
import { test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { startProblem } from "../../src/http/start-problem.ts";
import { loadPolicySet } from "../../src/policy/load.ts";

test("a start with policies that do not load names every mistake, and not the first alone", () => {
  assert.equal(
    problemOf("apiVersion: vouchsafe.dev/v2\nkind: VerificationPolicy\nmetadata: {nam: a}\n"),
    [
      "vouchsafe: invalid-policy: the policies do not load",
      "a.yaml:1:1: `spec` is missing",
      "a.yaml:1:13: `vouchsafe.dev/v2` is not known here: did you mean `vouchsafe.dev/v1`?",
      "a.yaml:3:11: `name` is missing",
      "a.yaml:3:12: unknown key `nam`: did you mean `name`?",
    ].join("\n  "),
  );
});

test("anything else is one sentence", () => {
  const error = new VouchsafeError("configuration-invalid", "PORT is taken");
  assert.equal(startProblem(error), "vouchsafe: configuration-invalid: PORT is taken");
});

function problemOf(text: string): string {
  try {
    loadPolicySet([{ name: "a.yaml", text }]);
  } catch (error) {
    if (error instanceof VouchsafeError) return startProblem(error);
    throw error;
  }
  return assert.fail("it loads");
}
