import assert from "node:assert/strict";
import { test } from "node:test";
import { decisionCalls } from "../../src/client/decisions.ts";
import type { Decision } from "../../src/client/types.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;
const ALLOWED: Decision = {
  digest: DIGEST,
  decision: "allow",
  enforced: true,
  reasons: [{ code: "passed", message: "it passes" }],
  policies: [
    {
      ...{ policy: "release", policyHash: OTHER, mode: "enforce", outcome: "passed", slsaLevel: 3 },
      ...{ attestations: [OTHER], validUntil: null },
    },
  ],
  slsaLevel: 3,
  asOf: 7,
  validUntil: "2026-03-01T12:00:00.000Z",
};

function answered(answer: unknown) {
  const bytes = new TextEncoder().encode(JSON.stringify(answer));
  const calls = { get: async () => answer as never, post: async () => answer as never };
  return decisionCalls(calls, async () => ({ status: 200, mediaType: "application/json", bytes }));
}

/** What a server of ours never says of the digest. */
const NO_DECISIONS: readonly unknown[] = [
  null,
  [],
  "allow",
  { decision: "allow" },
  { ...ALLOWED, decision: "ALLOW" },
  { ...ALLOWED, digest: OTHER },
  { ...ALLOWED, enforced: "no" },
  { ...ALLOWED, reasons: undefined },
  { ...ALLOWED, reasons: [null] },
  { ...ALLOWED, policies: {} },
  { ...ALLOWED, policies: [{ policy: "release" }] },
  { ...ALLOWED, asOf: "7" },
  { ...ALLOWED, validUntil: 7 },
];

test("a decision is taken for one, alone, in its place among others, or in the place of a summary", async () => {
  assert.deepEqual(await answered(ALLOWED).verifyDigest(DIGEST), ALLOWED);
  const two = [ALLOWED, { ...ALLOWED, digest: OTHER }];
  assert.deepEqual(await answered({ decisions: two }).verifyDigests([DIGEST, OTHER]), two);
  const denied = { ...ALLOWED, decision: "deny" };
  const summary = await answered(denied).verificationSummary(DIGEST);
  assert.deepEqual(summary, { case: "denied", decision: denied });
});

test("what is no decision about the digest is none: a gate rests on it", async () => {
  const refused = { code: "unexpected-answer" };
  for (const answer of NO_DECISIONS) {
    await assert.rejects(answered(answer).verifyDigest(DIGEST), refused, JSON.stringify(answer));
    await assert.rejects(answered({ decisions: [answer] }).verifyDigests([DIGEST]), refused);
    await assert.rejects(answered(answer).verificationSummary(DIGEST), refused);
  }
  await assert.rejects(answered({ decisions: [ALLOWED] }).verifyDigests([DIGEST, OTHER]), refused);
  await assert.rejects(answered(ALLOWED).verifyDigests([DIGEST]), refused);
});
