import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyPack } from "../../src/custody/verify-pack.ts";
import { buildPack } from "./build-pack.ts";
import { ARTIFACT, byBuilder, firstPolicies, firstTrust, otherTrust } from "./evidence.ts";
import { logSigner, smallLog } from "./small-log.ts";

test("a pass that came out again holds for later decisions as long as what it came from stands", () => {
  const log = smallLog();
  const decide = () =>
    log.append({
      type: "decision.recorded",
      about: [ARTIFACT],
      body: {
        artifact: ARTIFACT,
        policies: ["release"],
        decision: "allow",
        asOf: 1,
        grantedTo: "spiffe://example.org/widget",
        issuer: "spire",
        expiresAt: null,
        current: "allow",
        caller: "token",
      },
    });
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  log.push(byBuilder("run"));
  const indexes = [decide(), decide()];
  // Nobody judged the artifact anew, so that its verdict is still the one that passed.
  log.activateTrust(otherTrust);
  indexes.push(decide());
  log.activateTrust(firstTrust);
  indexes.push(decide());

  const { checks } = verifyPack(buildPack(log.packInput()), logSigner.verifierKey);
  const statuses = indexes.map(({ index }) => checks.find(({ event }) => event === index)?.status);
  assert.deepEqual(statuses, ["holds", "holds", "fails", "holds"]);
});
