import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openDatabase } from "../../../src/db/connection.ts";
import { readChain, readEventsFrom, readHead } from "../../../src/db/log.ts";
import { createProject } from "../../../src/db/projects.ts";
import { fsck } from "../../../src/services/log/fsck.ts";
import { openLogNode, testSigner } from "../../support/log-node.ts";
import { IS_LONG } from "../../support/long.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { digestOf, PROJECT, pushProposal } from "../../support/pushes.ts";

const NODES = 4;
/** Of each node at once, `VOUCHSAFE_LONG=1` more than the queue of one can hold in a batch many times over. */
const PUSHES = IS_LONG ? 4_000 : 60;

describe("four nodes on one Postgres", () => {
  const signer = testSigner();
  let postgres: TestPostgres;
  let dataDir: string;
  let nodes: { push(name: string, asOf: number): Promise<string>; close(): Promise<void> }[];
  let reader: Awaited<ReturnType<typeof openDatabase>>;

  before(async () => {
    postgres = await createPostgres();
    dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-test-"));
    nodes = await Promise.all(
      Array.from({ length: NODES }, async (_, i) => {
        const database = await openDatabase({ ...postgres, dataDir });
        const node = await openLogNode({ database, dataDir, signer, name: `node ${i}` });
        return {
          push: async (name: string, asOf: number) =>
            (await node.writer.append(pushProposal(digestOf(name), asOf))).outcome,
          async close() {
            await node.close();
            await database.close();
          },
        };
      }),
    );
    reader = await openDatabase({ ...postgres, dataDir });
    await createProject(reader.kysely, { id: PROJECT, name: "default", createdAt: 0 });
  });
  after(() => Promise.all(nodes.map((node) => node.close())));
  after(() => reader.close());
  after(() => postgres.drop());
  after(() => rm(dataDir, { recursive: true }));
  after(stopPostgres);

  it("write one history without a gap", async () => {
    const { size } = await readHead(reader.kysely);
    const outcomes = await Promise.all(
      nodes.flatMap((node, n) => Array.from({ length: PUSHES }, (_, i) => node.push(`own ${n} ${i}`, size))),
    );
    assert.deepEqual(new Set(outcomes), new Set(["committed"]));
    const head = await readHead(reader.kysely);
    assert.equal(head.size, 1 + 2 * NODES * PUSHES);
    const events = await readEventsFrom(reader.kysely, 0, head.size);
    assert.ok(events.every(({ index }, i) => index === i));
    assert.deepEqual((await fsck(reader, { logKeys: signer.verifierKey })).findings, []);
  });

  it("let exactly one of them judge an artifact from the same state", async () => {
    for (let i = 0; i < 20; i += 1) {
      const { size } = await readHead(reader.kysely);
      const outcomes = await Promise.all(nodes.map((node) => node.push("contested", size)));
      assert.deepEqual(outcomes.toSorted(), ["committed", "stale", "stale", "stale"]);
    }
    const events = await readChain(reader.kysely, PROJECT, digestOf("contested"));
    assert.equal(events.length, 2 * 20);
    // Each link names the event before it, so nobody judged past an event that it had not seen.
    assert.deepEqual(
      events.map(({ previous }) => previous[0]),
      [null, ...events.slice(0, -1).map(({ index }) => index)],
    );
  });
});
