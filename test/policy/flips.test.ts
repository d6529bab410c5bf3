import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { NOTHING_TALLIED, tallyOf, together } from "../../src/policy/flips.ts";

const passed = { passed: true, failing: [] };
const failed = (check: string) => {
  return { passed: false, failing: [{ check, passed: false, expected: "a", actual: "b" }] };
};
const artifacts = Array.from({ length: 25 }, (_, i) => sha256(`artifact ${i}`));

test("flips are counted by direction, the first of them named, with the checks of the very first", () => {
  const { passedBefore, passedAfter, denied, allowed } = artifacts
    .map((artifact, i) => tallyOf(artifact, { before: passed, after: failed(`check ${i}`) }))
    .reduce(together, NOTHING_TALLIED);
  assert.deepEqual([passedBefore, passedAfter, denied.count, allowed.count], [25, 0, 25, 0]);
  assert.deepEqual(denied.first, artifacts.slice(0, 20));
  assert.deepEqual(
    denied.checks.map(({ check }) => check),
    ["check 0"],
  );
});

test("what fares alike on both sides is no flip", () => {
  const [artifact = sha256("")] = artifacts;
  for (const outcome of [passed, failed("signer")]) {
    const { denied, allowed } = tallyOf(artifact, { before: outcome, after: outcome });
    assert.deepEqual([denied.count, allowed.count], [0, 0]);
  }
  const { denied, allowed } = tallyOf(artifact, { before: failed("signer"), after: passed });
  assert.deepEqual([denied.count, allowed.count, allowed.checks[0]?.check], [0, 1, "signer"]);
});
