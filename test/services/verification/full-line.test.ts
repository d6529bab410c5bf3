import assert from "node:assert/strict";
import { pbkdf2, randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { readHead } from "../../../src/db/log.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { evaluateArtifacts } from "../../../src/services/decisions/evaluate-artifacts.ts";
import { currentTrust, pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import type { TestNode } from "../../http/node.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

/** More than a project may have waiting. */
const TOO_MANY = 1_200;
const derive = promisify(pbkdf2);

describe("while more evidence waits than can be verified soon", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  before(async () => {
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres);
  });
  after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });

  async function release() {
    const artifact = { name: "widget", bytes: randomBytes(32) };
    const bundle = await house.sigstore.signStatement(slsaProvenance([artifact]));
    return { digest: sha256(artifact.bytes), bundle };
  }

  /**
   * Has as many spellings of a bundle verified as are at once, by threads that are busy for a while, and what is no evidence
   * behind them. Gives what resolves when none of it waits any more.
   */
  async function fillLine(node: TestNode, bundle: Uint8Array): Promise<() => Promise<void>> {
    const { verifier, project, clock } = node.v;
    const trust = await currentTrust(node.v, callerWith(node, ["operator"]));
    const busy = Array.from({ length: 32 }, () => derive("a", "b", 100_000, 32, "sha512"));
    const spellings = Array.from({ length: 4 * availableParallelism() }, (_, i) =>
      Buffer.concat([bundle, Buffer.alloc(i + 1, " ")]),
    );
    const others = Array.from({ length: TOO_MANY }, (_, i) => Buffer.from(`{"x":${i}}`));
    for (const bytes of [...spellings, ...others]) {
      verifier.verify(project, bytes, trust, clock()).catch(() => {});
    }
    return async () => {
      await Promise.all(busy);
      while (verifier.load.waiting > 0) await sleep(20);
    };
  }

  test("no verdict is given on what was not looked at", async () => {
    const first = await house.open();
    const { digest, bundle } = await release();
    await pushAttestation(first.v, callerWith(first, ["operator"]), { bytes: bundle });
    // It remembers none of it.
    const { v, ...node } = await house.open();
    const emptied = await fillLine({ v, ...node }, bundle);
    await assert.rejects(evaluateArtifacts(v, v.project, [digest]), { code: "unavailable" });
    await emptied();
    const { events } = await evaluateArtifacts(v, v.project, [digest]);
    assert.deepEqual(events, []);
  });

  test("no evidence is recorded as refused", async () => {
    const node = await house.open();
    const caller = callerWith(node, ["operator"]);
    const [pushed, others] = [await release(), await release()];
    const { size } = await readHead(node.v.database.kysely);
    const emptied = await fillLine(node, others.bundle);
    await assert.rejects(pushAttestation(node.v, caller, { bytes: pushed.bundle }), { code: "unavailable" });
    assert.equal((await readHead(node.v.database.kysely)).size, size);
    await emptied();
    const { verdicts } = await pushAttestation(node.v, caller, { bytes: pushed.bundle });
    assert.deepEqual(
      verdicts.map(({ outcome }) => outcome),
      ["passed"],
    );
  });
});
