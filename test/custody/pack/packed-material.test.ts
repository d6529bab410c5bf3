import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { buildPack } from "../build-pack.ts";
import { ARTIFACT, firstPolicies, firstTrust } from "../evidence.ts";
import { logSigner, smallLog } from "../small-log.ts";

test("a document that an event needs and its check does not read is held to its hash all the same", () => {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  const body = {
    artifact: ARTIFACT,
    policies: ["release"],
    decision: "deny",
    current: "deny",
    grantedTo: "spiffe://example.org/widget",
    issuer: "spire",
    expiresAt: null,
  };
  log.append({ type: "decision.recorded", about: [ARTIFACT], body });
  const { documents, ...rest } = log.packInput();
  assert.ok(verifyPack(buildPack({ ...rest, documents }), logSigner.verifierKey).ok);
  assert.equal(documents.length, 2);
  for (const altered of documents) {
    const others = documents.filter((one) => one !== altered);
    const bytes = Buffer.from(`${Buffer.from(altered.bytes)} `);
    const pack = buildPack({ ...rest, documents: [...others, { ...altered, bytes }] });
    const { checks } = verifyPack(pack, logSigner.verifierKey);
    const failed = checks.filter(({ status }) => status === "fails").map(({ check }) => check);
    assert.deepEqual(failed, ["contents"], altered.kind);
  }
});
