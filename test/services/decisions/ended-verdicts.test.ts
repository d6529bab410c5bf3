import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { readChain } from "../../../src/db/log.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { readArtifact } from "../../../src/services/decisions/find-artifacts.ts";
import { reevaluateEnded } from "../../../src/services/decisions/reevaluate.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import type { TestNode } from "../../http/node.ts";
import { RELEASE_POLICY } from "../../http/release.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { packOf } from "../../support/packs.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

const HOUR = 3_600_000;
const FRESH = RELEASE_POLICY.replace("name: release", "name: fresh").replace(
  "spec:\n",
  "spec:\n  maxAge: 1h\n",
);

describe("verdicts that time ends", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let a: TestNode;
  let b: TestNode;

  before(async () => {
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres, { "fresh.yaml": FRESH });
    [a, b] = await Promise.all([house.open(), house.open()]);
  });
  after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });

  async function release(): Promise<Digest> {
    const artifact = { name: "widget", bytes: randomBytes(32) };
    const bytes = await house.sigstore.signStatement(slsaProvenance([artifact]));
    await pushAttestation(a.v, callerWith(a, ["uploader"]), { bytes });
    return sha256(artifact.bytes);
  }

  const sweep = ({ v }: TestNode) => reevaluateEnded(v, new AbortController().signal);
  const ask = (node: TestNode, digest: Digest) =>
    verifyDigest(node.v, callerWith(node, ["issuer"], ["fresh"]), { digest });

  async function verdictsOf(digest: Digest): Promise<string[]> {
    const chain = await readChain(a.v.database.kysely, a.v.project, digest);
    return chain.filter(({ body }) => body.policy === "fresh").map(({ type }) => type);
  }

  test("a question after the end evaluates anew at once, and says what failed", async () => {
    const digest = await release();
    assert.equal((await ask(b, digest)).decision, "allow");
    b.advance(HOUR);
    const { decision, reasons } = await ask(b, digest);
    assert.equal(decision, "deny");
    assert.deepEqual(
      reasons.map(({ code, checks }) => [code, checks?.map(({ check }) => check)]),
      [["verdict-failed", ["maxAge"]]],
    );
    assert.deepEqual(await verdictsOf(digest), ["verdict.passed", "verdict.failed"]);
    b.advance(-HOUR);
  });

  test("the end of a pass becomes an event once, whichever nodes look, and none before it", async () => {
    const digests = [await release(), await release()];
    await Promise.all([sweep(a), sweep(b)]);
    for (const digest of digests) assert.deepEqual(await verdictsOf(digest), ["verdict.passed"]);

    for (const node of [a, b]) node.advance(HOUR);
    await Promise.all([sweep(a), sweep(b)]);
    await sweep(a);
    for (const digest of digests)
      assert.deepEqual(await verdictsOf(digest), ["verdict.passed", "verdict.failed"]);

    const [digest = ""] = digests;
    const { verdicts } = await readArtifact(a.v, callerWith(a, ["auditor"]), digest);
    const fresh = verdicts.find(({ policy }) => policy === "fresh");
    assert.equal(fresh?.outcome, "failed");
    assert.deepEqual(
      fresh?.checks.filter(({ passed }) => !passed).map(({ check }) => check),
      ["maxAge"],
    );
    const pack = await packOf(a.v, callerWith(a, ["auditor"]), digest);
    assert.ok(verifyPack(pack, a.v.log.verifierKey).ok);
  });
});
