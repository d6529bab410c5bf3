import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { verifyDigest } from "../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../src/services/evidence/push-attestation.ts";
import { requireReady } from "../../src/services/log/read-log.ts";
import type { TestNode } from "../http/node.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { type CutProxy, startCutProxy } from "../support/cut-proxy.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "./release-node.ts";

describe("a node whose Postgres is away", () => {
  let postgres: TestPostgres;
  let wire: CutProxy;
  let house: ReleaseHouse;
  let node: TestNode;

  before(async () => {
    postgres = await createPostgres();
    wire = await startCutProxy(postgres.databaseUrl);
    house = await openReleaseHouse({
      ...postgres,
      databaseUrl: wire.through(postgres.databaseUrl),
      migrateUrl: wire.through(postgres.migrateUrl),
    });
    // Longer than a busy machine may keep this process from following the log.
    node = await house.open({ VOUCHSAFE_MAX_STALENESS: "5" });
  });
  after(async () => {
    await house.close();
    await wire.close();
    await postgres.drop();
    await stopPostgres();
  });

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  test("decides from memory until it is stale, denies then, refuses writes, and recovers by itself", async () => {
    const { v } = node;
    const caller = callerWith(node, ["operator"]);
    const artifact = { name: "widget", bytes: randomBytes(32) };
    const digest = sha256(artifact.bytes);
    const [first, second] = await Promise.all(
      [0, 1].map(() => house.sigstore.signStatement(slsaProvenance([artifact]))),
    );
    assert.ok(first && second);
    await pushAttestation(v, caller, { bytes: first });
    assert.equal((await verifyDigest(v, caller, { digest })).decision, "allow");

    const before = wire.attempts;
    wire.cut();
    assert.equal((await verifyDigest(v, caller, { digest })).decision, "allow");
    await assert.rejects(pushAttestation(v, caller, { bytes: second }), { code: "unavailable" });
    await until(() => v.projection.staleness() > v.config.maxStaleness);
    const stale = await verifyDigest(v, caller, { digest });
    assert.deepEqual([stale.decision, stale.reasons[0]?.code], ["deny", "stale"]);
    assert.throws(() => requireReady(v), { code: "stale" });

    wire.mend();
    await until(() => v.projection.staleness() < v.config.maxStaleness);
    assert.equal((await verifyDigest(v, caller, { digest })).decision, "allow");
    assert.equal((await pushAttestation(v, caller, { bytes: second })).created, true);
    // A few each second: a database that comes back must not be met by all that were ever tried.
    assert.ok(wire.attempts - before < 100, `${wire.attempts - before} connections`);
  });
});
