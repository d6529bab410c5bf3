import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openAcknowledged } from "../../src/custody/writer/acknowledged.ts";
import { readHead, tileReader } from "../../src/db/log.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { activatePolicies, readPolicies } from "../../src/services/activation/activate-policies.ts";
import { readCustody } from "../../src/services/custody/read-custody.ts";
import { verifyDigest } from "../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../src/services/evidence/push-attestation.ts";
import { openQuarantine } from "../../src/services/incidents/quarantine.ts";
import { openCheckpoint } from "../../src/tlog/checkpoint.ts";
import { parseVerifierKey } from "../../src/tlog/note.ts";
import { proveConsistency, verifyConsistency } from "../../src/tlog/proofs.ts";
import type { TestNode } from "../http/node.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "./release-node.ts";

describe("two nodes on one Postgres", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let a: TestNode;
  let b: TestNode;

  before(async () => {
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres);
    [a, b] = await Promise.all([house.open(), house.open()]);
  });
  after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });

  async function release() {
    const artifact = { name: "widget", bytes: randomBytes(32) };
    return {
      digest: sha256(artifact.bytes),
      bytes: await house.sigstore.signStatement(slsaProvenance([artifact])),
    };
  }

  test("start at once and agree on log key, project, policies and trust", async () => {
    assert.equal(a.v.log.verifierKey, b.v.log.verifierKey);
    assert.equal(a.v.project, b.v.project);
    const { size } = await readHead(a.v.database.kysely);
    // Its first event, policies, trust, and the authority that was prepared and activated.
    assert.equal(size, 5);
  });

  test("pushes to both give one history, and each receipt is in it", async () => {
    const releases = await Promise.all(Array.from({ length: 24 }, release));
    const pushed = await Promise.all(
      releases.map(({ bytes }, i) => {
        const node = i % 2 === 0 ? a : b;
        return pushAttestation(node.v, callerWith(node, ["uploader"]), { bytes });
      }),
    );
    const head = await readHead(a.v.database.kysely);
    const verifier = parseVerifierKey(a.v.log.verifierKey);
    assert.equal(new Set(pushed.map(({ receipt }) => receipt.index)).size, pushed.length);
    for (const { receipt } of pushed) {
      const older = openCheckpoint(receipt.checkpoint, verifier.name, [verifier]);
      verifyConsistency(
        older,
        head,
        await proveConsistency(tileReader(a.v.database.kysely), older.size, head.size),
      );
    }
  });

  test("what one accepted the other allows, as soon as it knows of that log size", async () => {
    const { digest, bytes } = await release();
    const { receipt } = await pushAttestation(a.v, callerWith(a, ["uploader"]), { bytes });
    const answer = await verifyDigest(b.v, callerWith(b, ["issuer"]), { digest, minSize: receipt.treeSize });
    assert.equal(answer.decision, "allow");
    assert.ok(answer.asOf >= receipt.treeSize);
  });

  test("a quarantine on one is obeyed by the other, which had the allow in memory", async () => {
    const { digest, bytes } = await release();
    const caller = callerWith(b, ["issuer"]);
    await pushAttestation(b.v, caller, { bytes });
    assert.equal((await verifyDigest(b.v, caller, { digest })).decision, "allow");
    const { receipt } = await openQuarantine(a.v, callerWith(a, ["operator"]), {
      artifact: digest,
      reason: "bad",
    });
    const answer = await verifyDigest(b.v, caller, { digest, minSize: receipt.treeSize });
    assert.equal(answer.decision, "deny");
    assert.equal(answer.reasons[0]?.code, "quarantined");
  });

  test("what one judged again after an edit of policy, to the same end, the other that knew it before allows too", async () => {
    const { digest, bytes } = await release();
    const { receipt } = await pushAttestation(a.v, callerWith(a, ["uploader"]), { bytes });
    const [askA, askB] = [a, b].map(
      (node) => (minSize: number) => verifyDigest(node.v, callerWith(node, ["issuer"]), { digest, minSize }),
    );
    assert.equal((await askB?.(receipt.treeSize))?.decision, "allow");
    const { policySet: previous, documents } = await readPolicies(a.v, callerWith(a, ["operator"]));
    const edited = documents.map(({ name, text }) => ({
      name,
      text: text.replace("ignore: [workflow]", "ignore: [workflow, other]"),
    }));
    const activated = await activatePolicies(a.v, callerWith(a, ["operator"]), {
      documents: edited,
      previous,
    });
    const size = activated.receipt?.treeSize ?? 0;
    assert.equal((await askA?.(size))?.decision, "allow");
    assert.equal((await askB?.(size))?.decision, "allow");
  });

  test("the same evidence pushed to both at once is one attestation in one chain", async () => {
    const { digest, bytes } = await release();
    const pushed = await Promise.all(
      [a, b, a, b].map((node) => pushAttestation(node.v, callerWith(node, ["uploader"]), { bytes })),
    );
    assert.equal(pushed.filter(({ created }) => created).length, 1);
    const { events } = await readCustody(b.v, callerWith(b, ["auditor"]), digest, { related: false });
    assert.deepEqual(
      events.map(({ type }) => type),
      ["evidence.accepted", "verdict.passed"],
    );
  });

  test("a node that has acknowledged more than the database has refuses to start, though it would add nothing", async (t) => {
    const { size } = await readHead(a.v.database.kysely);
    const dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-set-back-"));
    t.after(() => rm(dataDir, { recursive: true, force: true }));
    const acknowledged = await openAcknowledged(join(dataDir, "acknowledged"), a.v.log.origin);
    await acknowledged.record({ size: size + 1, root: randomBytes(32) });
    await acknowledged.close();
    await assert.rejects(house.open({ VOUCHSAFE_DATA_DIR: dataDir }), { code: "log-inconsistent" });
  });

  test("a node whose origin differs from the pinned one refuses to start", async () => {
    await assert.rejects(house.open({ VOUCHSAFE_ORIGIN: "elsewhere.example/log" }), {
      code: "log-inconsistent",
    });
  });
});
