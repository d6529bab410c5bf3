import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import type { TestNode } from "../../http/node.ts";
import { RELEASE_POLICY, signRelease } from "../../http/release.ts";
import { statementAbout } from "../../sigstore/provenance.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

const COSTLY = `${RELEASE_POLICY.replace("name: release", "name: costly")}
  rules:
    - name: each-with-each
      cel: predicate.scanner.result.all(x, predicate.scanner.result.exists(y, y.id == x.id + "?") || true)
`;

let house: ReleaseHouse;
let node: TestNode;
before(async () => {
  house = await openReleaseHouse(undefined, { "costly.yaml": COSTLY });
  node = await house.open();
});
after(() => house.close());

test("an upload whose rules take all that they may leaves others their turns, and fails by that check", async () => {
  const caller = callerWith(node, ["operator"], ["release"]);
  const { digest, bundle } = await signRelease(house.sigstore);
  const { receipt } = await pushAttestation(node.v, caller, { bytes: bundle });
  const ask = () => verifyDigest(node.v, caller, { digest, minSize: receipt.treeSize });
  assert.equal((await ask()).decision, "allow");

  const artifacts = [1, 2, 3, 4].map((n) => ({ name: `widget-${n}`, bytes: randomBytes(32) }));
  const result = Array.from({ length: 20_000 }, (_, n) => ({ id: `CVE-2026-${n}`, severity: [] }));
  const scan = statementAbout(artifacts, "https://in-toto.io/attestation/vulns/v0.2", {
    scanner: { result },
  });
  const bytes = await house.sigstore.signStatement(scan);
  // Each evaluation asks the time.
  let evaluations = 0;
  const clock = () => {
    evaluations += 1;
    return node.v.clock();
  };
  const answeredAfter = new Set<number>();
  let pushing = true;
  const asking = (async () => {
    for (; pushing; await nextTurn()) {
      assert.equal((await ask()).decision, "allow");
      answeredAfter.add(evaluations);
    }
  })();
  const { verdicts } = await pushAttestation({ ...node.v, clock }, caller, { bytes });
  pushing = false;
  await asking;

  const rule = verdicts
    .find(({ policy }) => policy === "costly")
    ?.checks.find(({ check }) => check === "rule:each-with-each");
  assert.match(rule?.actual ?? "", /steps/);
  assert.ok(answeredAfter.size > artifacts.length, [...answeredAfter].join(", "));
});
