import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { sweepEvidence } from "../../../src/services/evidence/expire-evidence.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { revokeEvidence, withdrawRevocation } from "../../../src/services/incidents/revocations.ts";
import type { TestNode } from "../../http/node.ts";
import { actionsClaims } from "../../sigstore/github-actions.ts";
import { slsaProvenance, statementAbout } from "../../sigstore/provenance.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";
import { DAY, RETENTION, SCAN, SCANNED } from "./retention-policies.ts";

let postgres: TestPostgres;
let house: ReleaseHouse;
let node: TestNode;
before(async () => {
  postgres = await createPostgres();
  house = await openReleaseHouse(postgres, { "retention.yaml": RETENTION, "scanned.yaml": SCANNED });
  node = await house.open();
});
after(async () => {
  await house.close();
  await postgres.drop();
  await stopPostgres();
});

test("a finding does not grow old while it is revoked: taken back, that would have cleared the artifact", async () => {
  const artifact = { name: "gadget", bytes: randomBytes(32) };
  const operator = callerWith(node, ["operator"]);
  const push = (bytes: Uint8Array) => pushAttestation(node.v, operator, { bytes });
  const scanned = (result: readonly object[]) => {
    const claims = actionsClaims({ workflow: ".github/workflows/scan.yml" });
    return house.sigstore.signStatement(statementAbout([artifact], SCAN, { scanner: { result } }), {
      claims,
    });
  };
  const ask = async () => {
    const caller = callerWith(node, ["issuer"], ["scanned"]);
    return (await verifyDigest(node.v, caller, { digest: sha256(artifact.bytes) })).decision;
  };
  const clean = await scanned([]);
  // Logs tell the time in whole seconds.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const finding = await scanned([{ id: "CVE-1", severity: [] }]);
  await push(finding);
  node.advance(5 * DAY);
  await push(clean);
  await push(await house.sigstore.signStatement(slsaProvenance([artifact])));
  assert.equal(await ask(), "deny");
  const target = { attestation: sha256(finding) };
  const { id } = await revokeEvidence(node.v, operator, { target, reason: "the scanner erred" });
  assert.equal(await ask(), "allow");

  node.advance(26 * DAY);
  const { expired } = await sweepEvidence(node.v, operator, { dryRun: true });
  assert.deepEqual(
    expired.map(({ attestation }) => attestation),
    [sha256(finding)],
  );
  assert.deepEqual((await sweepEvidence(node.v, operator)).expired, []);
  await withdrawRevocation(node.v, operator, { id, reason: "it did not" });
  assert.equal(await ask(), "deny");
});
