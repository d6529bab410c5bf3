import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import type { TestNode } from "../../http/node.ts";
import { RELEASE_POLICY } from "../../http/release.ts";
import { actionsClaims } from "../../sigstore/github-actions.ts";
import { slsaProvenance, statementAbout } from "../../sigstore/provenance.ts";
import { forPostgres } from "../../support/databases.ts";
import { packOf } from "../../support/packs.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

const SCAN = "https://in-toto.io/attestation/vulns/v0.2";
const SCANNED = `${RELEASE_POLICY.replace("name: release", "name: scanned")}
  evidence:
    - name: scan
      predicateTypes: ["${SCAN}"]
      signers:
        - issuer: https://token.actions.githubusercontent.com
          identity: https://github.com/acme/widget/.github/workflows/scan.yml@refs/heads/main
      maxAge: 1d
      rules:
        - {name: nothing-found, cel: size(predicate.scanner.result) == 0}
  joins:
    - {name: scanned-commit, cel: evidence.scan.source.commit == source.commit}
`;

forPostgres("a policy that requires a scan beside the build", (create) => {
  let house: ReleaseHouse;
  let node: TestNode;

  before(async () => {
    house = await openReleaseHouse((await create()).postgres ?? "embedded", { "scanned.yaml": SCANNED });
    node = await house.open();
  });
  after(() => house.close());

  test("its decision follows the newest of each, and its custody file tells the same", async () => {
    const caller = callerWith(node, ["operator"], ["scanned"]);
    const artifact = { name: "widget.tar.gz", bytes: randomBytes(64) };
    const digest = sha256(artifact.bytes);
    const scan = (result: readonly object[], sha?: string) => {
      const claims = actionsClaims({ workflow: ".github/workflows/scan.yml", ...(sha && { sha }) });
      return house.sigstore.signStatement(statementAbout([artifact], SCAN, { scanner: { result } }), {
        claims,
      });
    };
    const push = async (bytes: Uint8Array) => {
      const { receipt } = await pushAttestation(node.v, caller, { bytes });
      const { decision, reasons } = await verifyDigest(node.v, caller, { digest, minSize: receipt.treeSize });
      return [decision, reasons[0]?.checks?.[0]?.check];
    };

    assert.deepEqual(await push(await house.sigstore.signStatement(slsaProvenance([artifact]))), [
      "deny",
      "evidence.scan",
    ]);
    assert.deepEqual(await push(await scan([], "0".repeat(40))), ["deny", "join:scanned-commit"]);
    assert.deepEqual(await push(await scan([])), ["allow", undefined]);
    // Logs tell the time in whole seconds; of one second, no evidence is newer than other.
    await setTimeout(1_100);
    assert.deepEqual(await push(await scan([{ id: "CVE-1", severity: [] }])), ["deny", "evidence.scan"]);

    const { ok, checks } = verifyPack(await packOf(node.v, caller, digest), node.v.log.verifierKey);
    assert.deepEqual(
      checks.filter(({ status }) => status !== "holds"),
      [],
    );
    assert.equal(ok, true);
  });
});
