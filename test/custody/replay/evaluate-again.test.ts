import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { decisionRecorded } from "../../support/pushes.ts";
import { buildPack } from "../build-pack.ts";
import { ARTIFACT, byBuilder, firstPolicies, firstTrust, otherTrust } from "../evidence.ts";
import { logSigner, smallLog } from "../small-log.ts";

test("a pass that came out again holds for later decisions as long as what it came from stands", () => {
  const log = smallLog();
  const decide = () => log.append(decisionRecorded(ARTIFACT));
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
