import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import pg from "pg";
import { createClient } from "../../../src/client/client.ts";
import { openPackVerifier, verifyPack } from "../../../src/custody/verify-pack.ts";
import { readChain, readHead } from "../../../src/db/log.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { exportPack } from "../../../src/services/custody/export-pack.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../../http/node.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { type CutProxy, startCutProxy } from "../../support/cut-proxy.ts";
import { packOf } from "../../support/packs.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { committed, digestOf, pushProposal } from "../../support/pushes.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

describe("custody files", () => {
  let postgres: TestPostgres;
  let wire: CutProxy;
  let house: ReleaseHouse;
  let node: TestNode;
  const auditor = () => callerWith(node, ["auditor"]);
  const operator = () => callerWith(node, ["operator"]);

  before(async () => {
    postgres = await createPostgres();
    wire = await startCutProxy(postgres.databaseUrl);
    house = await openReleaseHouse({ ...postgres, databaseUrl: wire.through(postgres.databaseUrl) });
    node = await house.open();
  });
  after(async () => {
    await house.close();
    await wire.close();
    await postgres.drop();
    await stopPostgres();
  });

  async function release(bytes = randomBytes(64)): Promise<Digest> {
    const artifact = { name: "widget.tar.gz", bytes };
    const bundle = await house.sigstore.signStatement(slsaProvenance([artifact]));
    await pushAttestation(node.v, operator(), { bytes: bundle });
    return sha256(bytes);
  }

  test("as of each size that the log had, the file has the bytes that it had then", async () => {
    const digest = await release();
    const then = new Map<number, Uint8Array>();
    const take = async () => {
      const pack = await packOf(node.v, auditor(), digest);
      then.set(verifyPack(pack, node.v.log.verifierKey).log?.size ?? 0, pack);
    };
    await take();
    await openQuarantine(node.v, operator(), { artifact: digest, reason: "leak" });
    await take();
    // The log goes on without the artifact.
    await release();
    await take();
    const atThirdSize = new Date().toISOString();
    node.advance(1000);
    await release();

    assert.equal(then.size, 3);
    for (const [size, pack] of then) {
      const again = await packOf(node.v, auditor(), digest, size);
      assert.deepEqual(Buffer.from(again), Buffer.from(pack), `as of ${size}`);
    }
    const [, , third] = [...then.values()];
    assert.ok(third);
    assert.deepEqual(Buffer.from(await packOf(node.v, auditor(), digest, atThirdSize)), Buffer.from(third));

    await assert.rejects(packOf(node.v, auditor(), digest, 1e6), { code: "invalid-request" });
    await assert.rejects(packOf(node.v, auditor(), digest, "2999-01-01T00:00:00Z"), {
      code: "invalid-request",
    });
    await assert.rejects(packOf(node.v, auditor(), digest, 2), { code: "not-found" });
  });

  test("an older tree that the newest one did not grow from is not signed", async () => {
    const digest = await release();
    const { size } = node.v.projection;
    await release();
    const admin = new pg.Client({ connectionString: postgres.adminUrl });
    await admin.connect();
    await admin.query("set session_replication_role = replica");
    // By the very entry that is the last of the older tree: its hash is that of the newest tree's leaf no more.
    const edit = (hash: string) =>
      admin.query(`update log_entries set leaf_hash = ${hash} where index = $1`, [size - 1]);
    await edit("sha256(leaf_hash)");
    try {
      await assert.rejects(packOf(node.v, auditor(), digest, size), { code: "proof-invalid" });
    } finally {
      await edit("sha256('\\x00'::bytea || leaf)");
      await admin.end();
    }
    assert.ok(verifyPack(await packOf(node.v, auditor(), digest, size), node.v.log.verifierKey).ok);
  });

  const LARGE = sha256("an artifact with much evidence");

  /** Evidence of which nothing need be believed, for a file of some size. */
  async function pushMuch(artifact: Digest, count: number, bytes: number): Promise<void> {
    const trust = { hash: digestOf("trust"), kind: "trust", bytes: Buffer.from("trust") } as const;
    let { size } = node.v.projection;
    for (let i = 0; i < count; i += 1) {
      const options = { project: node.v.project, evidence: randomBytes(bytes) };
      const proposal = { ...pushProposal(artifact, size, options), documents: [trust] };
      ({ size } = committed(await node.v.writer.append(proposal)));
    }
  }

  test("a file many times the memory that writing it takes is written line by line", async () => {
    await pushMuch(LARGE, 20, 1024 * 1024);
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const inUse = async () => {
      collect();
      // What lies outside of the heap is freed by a turn's finalizers.
      await setImmediate();
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const atFirst = await inUse();
    let [bytes, most] = [0, 0];
    for await (const line of exportPack(node.v, auditor(), LARGE)) {
      bytes += line.length;
      // Now and then: collecting takes its time.
      if (Math.floor(bytes / 5e6) > Math.floor((bytes - line.length) / 5e6))
        most = Math.max(most, (await inUse()) - atFirst);
    }
    assert.ok(bytes > 25e6);
    assert.ok(most < bytes / 4, `${most} bytes in use of a file of ${bytes}`);
  });

  test("a file whose evidence expires while it is written breaks off", async () => {
    const digest = await release();
    const lines = exportPack(node.v, auditor(), digest);
    await lines.next();
    const [accepted] = await readChain(node.v.database.kysely, node.v.project, digest);
    const { size } = await readHead(node.v.database.kysely);
    const body = { attestation: accepted?.body.attestation as Digest };
    const event = { type: "evidence.expired", about: [digest], body } as const;
    await node.v.writer.append({ project: node.v.project, asOf: size, restsOn: [], events: [event] });
    const rest = async () => {
      for await (const line of lines) assert.ok(line.length > 0);
    };
    await assert.rejects(rest(), { code: "evidence-expired" });
    await assert.rejects(packOf(node.v, auditor(), digest, size), { code: "evidence-expired" });
    assert.ok((await packOf(node.v, auditor(), digest)).length > 0);
  });

  test("a file that breaks off when the database goes away does not end as a whole one does", async () => {
    const server = await node.app.listen({ host: "127.0.0.1", port: 0 });
    const client = createClient({ server, token: await node.token(["auditor"]) });
    const verifier = openPackVerifier(node.v.log.verifierKey);
    await assert.rejects(
      async () => {
        for await (const piece of await client.exportCustody(LARGE)) {
          verifier.read(piece);
          if (verifier.progress().done > 0) wire.cut();
        }
      },
      { code: "unreachable" },
    );
    wire.mend();
    const { done, of } = verifier.progress();
    assert.ok(done > 0 && done < of);
    const whole = await client.exportCustody(LARGE, String(node.v.projection.size));
    let bytes = 0;
    for await (const piece of whole) bytes += piece.length;
    assert.ok(bytes > 25e6);

    const uploader = createClient({ server, token: await node.token(["uploader"]) });
    await assert.rejects(uploader.exportCustody(LARGE), { code: "forbidden" });
    await assert.rejects(client.exportCustody(sha256("nothing")), { code: "not-found" });
  });
});
