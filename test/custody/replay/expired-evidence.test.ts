import assert from "node:assert/strict";
import { test } from "node:test";
import type { PackReport, PackStatus } from "../../../src/custody/pack/report.ts";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { type JsonObject, sha256 } from "../../../src/in-toto-attestation/index.ts";
import { buildPack } from "../build-pack.ts";
import { byBuilder, firstPolicies, firstTrust } from "../evidence.ts";
import { editLines, logSigner, smallLog } from "../small-log.ts";

/** Three runs were pushed; then retention deleted the bytes of the first, and a fourth came. */
const [first, ...later] = [1, 2, 3].map((run) => byBuilder(`run ${run}`)) as [Uint8Array, ...Uint8Array[]];
const log = smallLog();
log.activateTrust(firstTrust);
log.activatePolicies(firstPolicies);
for (const bytes of [first, ...later]) log.push(bytes);
const expiry = log.expire(sha256(first));
const afterwards = log.push(byBuilder("run 4"));
const pack = buildPack(log.packInput());

function statusOf({ checks }: PackReport, status: PackStatus) {
  return checks.filter((check) => check.status === status);
}

test("what rests on bytes that retention deleted reads not-re-verifiable, and the rest still holds", () => {
  const report = verifyPack(pack, logSigner.verifierKey);
  assert.deepEqual(statusOf(report, "fails"), []);
  assert.ok(report.ok);
  const gone = statusOf(report, "not-re-verifiable").map(({ check, event }) => [check, event]);
  // Its acceptance, and each verdict that was made while it counted.
  const verdicts = log.events.filter(({ type, index }) => type === "verdict.passed" && index < expiry.index);
  const accepted = log.events.find(({ body }) => body.attestation === sha256(first));
  assert.deepEqual(
    gone,
    [["evidence", accepted?.index], ...verdicts.map(({ index }) => ["verdict", index])].sort(
      ([, a], [, b]) => Number(a) - Number(b),
    ),
  );
  assert.ok(statusOf(report, "holds").some(({ event }) => event === afterwards.index));
  assert.ok(
    statusOf(report, "holds").some(({ check, event }) => check === "expiry" && event === expiry.index),
  );
});

test("bytes are missing only where the log says that they expired", () => {
  const failing = (change: (line: JsonObject) => JsonObject) => {
    const edited = editLines(pack, (lines) =>
      lines.map((line) => ("evidence" in line ? change(line) : line)),
    );
    return new Set(statusOf(verifyPack(edited, logSigner.verifierKey), "fails").map(({ check }) => check));
  };
  const others = failing(({ evidence, mediaType }) => ({
    evidence: evidence ?? null,
    mediaType: mediaType ?? null,
    expired: expiry.index,
  }));
  assert.deepEqual(others, new Set(["contents"]));
  assert.ok(
    failing((line) => ("expired" in line ? { ...line, expired: expiry.index - 1 } : line)).has("contents"),
  );
  assert.ok(failing((line) => ("expired" in line ? { ...line, mediaType: "text/plain" } : line)).size > 0);
});
