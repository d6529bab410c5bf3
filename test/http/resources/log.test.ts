import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { encodeBody } from "../../../src/custody/body.ts";
import { decodeLeaf } from "../../../src/custody/leaf.ts";
import { openEvent } from "../../../src/custody/open-event.ts";
import { decodeProof, verifyReceipt } from "../../../src/custody/receipt.ts";
import { createProject } from "../../../src/db/projects.ts";
import { createToken } from "../../../src/services/access/tokens.ts";
import { ROLES } from "../../../src/services/caller.ts";
import { parseCheckpoint } from "../../../src/tlog/checkpoint.ts";
import { leafHash } from "../../../src/tlog/hash.ts";
import { verifyInclusion } from "../../../src/tlog/proofs.ts";
import { growLog } from "../../support/grow-log.ts";
import { type NaiveTree, naiveTree } from "../../tlog/naive-tree.ts";
import { fails, succeeds } from "../calls.ts";
import { openNode, type TestNode, turn } from "../node.ts";
import { indexPath, type TlogClient, takeApart, tilesOf, tlogClient } from "../tlog-client.ts";

const FOR_EVER = "public, max-age=31536000, immutable";
const SIZES = [255, 256, 257, 511, 512, 513, 600];
const SIZE = 600;
const INCLUSION = "GET /log/proof/inclusion";
const CONSISTENCY = "GET /log/proof/consistency";
const EVENTS = "GET /events";
const RECEIPTS = "POST /log/receipts";

let node: TestNode;
let log: TlogClient;
/** As the first test finds it, once the log has its size. */
let entries: Buffer[];
let tree: NaiveTree;
/** A token of one role. */
let anybody: string;
before(async () => {
  node = await openNode();
  log = tlogClient(node.app);
  anybody = await node.token(["uploader"]);
});
after(() => node.close());

test("at each size the bundles and tiles lead to the checkpoint's root", async () => {
  for (const size of SIZES) {
    await growLog(node.v, size);
    const checkpoint = await log.checkpoint();
    assert.deepEqual([checkpoint.origin, checkpoint.size], [node.v.log.origin, size]);
    entries = await log.entries(size);
    tree = naiveTree(entries);
    assert.deepEqual(checkpoint.root, tree.root(size), `the tree of ${size}`);
    await assertTiles(size);
    await assertNothingBeyond(size);
  }
});

test("whoever holds an older checkpoint still finds every tile of its tree", async () => {
  for (let size = 1; size < SIZE; size += 1) await assertTiles(size);
});

async function assertTiles(size: number): Promise<void> {
  // Of older trees only the last tile is another than the newest has.
  for (const level of size % 256 === 0 ? [0, 1] : [0]) {
    for (const { index, width } of tilesOf(level, size).slice(-1)) {
      const tile = await log.bytes(`tile/${level}/${indexPath(index, width)}`);
      assert.ok(tile.equals(tree.tile(level, index, width)), `level ${level}, tile ${index}, ${width} wide`);
    }
  }
}

/** No tile is wider than its tree, and none begins where the tree ends. */
async function assertNothingBeyond(size: number): Promise<void> {
  for (const level of ["entries", 0, 1, 2, 3, 62, 63]) {
    const hashes = Math.floor(size / 256 ** (level === "entries" ? 0 : Number(level)));
    const [index, width] = [Math.floor(hashes / 256), hashes % 256];
    const wider = [`.p/${width + 1}`, ".p/255", ""].filter((suffix) => suffix !== ".p/256");
    for (const path of [
      ...(width === 255 ? [""] : wider).map((suffix) => indexPath(index, 256) + suffix),
      indexPath(index + 1, 256),
      indexPath(index + 1, 1),
      "x999/x999/x999/x999/999",
    ]) {
      await assertNotFound(`tile/${level}/${path}`);
    }
  }
}

async function assertNotFound(path: string): Promise<void> {
  const answer = await log.get(path);
  assert.equal(answer.statusCode, 404, path);
  assert.equal(answer.json().code, "not-found");
  assert.equal(answer.headers["cache-control"], "no-store", "what is not there yet will be");
}

test("a tile has one path, whatever a router would make of others", async () => {
  for (const path of [
    "tile/0/%30%30%30",
    "tile/%30/000",
    "tile/0/000%2Ep/1",
    "tile/0/000.p%2F1",
    "tile/0/000/",
    "tile//0/000",
    "tile/0//000",
    "tile/00/000",
    "tile/0/0",
    "tile/0/x000/000",
    "tile/0/000.p/256",
    "tile/0/000.p/0",
    "tile/0/000.p/01",
    "tile/64/000",
    "tile/%65ntries/000",
    "tile/entries/",
    "tile/0/",
    "tile/0",
    "tile/",
    `tile/0/${"x001/".repeat(100)}000`,
  ]) {
    await assertNotFound(path);
  }
});

test("what is in the tree is every cache's to keep, and nobody's to guess the type of", async () => {
  for (const path of ["tile/0/000", "tile/0/002.p/80", "tile/1/000.p/2", "tile/entries/000"]) {
    const { headers } = await log.get(path);
    assert.equal(headers["cache-control"], FOR_EVER, path);
    assert.equal(headers["content-type"], "application/octet-stream");
    assert.equal(headers["x-content-type-options"], "nosniff");
  }
  assert.equal((await log.get("checkpoint")).headers["cache-control"], "no-store");
});

test("bundles are compressed for those who take that", async () => {
  const plain = await log.bytes("tile/entries/000");
  assert.equal(takeApart(plain).length, 256);
  for (const [accepted, coding] of [
    ["gzip", "gzip"],
    ["identity, GZIP;q=0.5", "gzip"],
    ["gzip;q=0", undefined],
    ["br, identity", undefined],
    ["", undefined],
  ]) {
    const headers = { "accept-encoding": accepted ?? "" };
    const answer = await node.app.inject({ url: "/log/tile/entries/000", headers });
    assert.equal(answer.headers["content-encoding"], coding, accepted);
    assert.equal(answer.headers.vary, "accept-encoding");
    const bytes = coding === "gzip" ? gunzipSync(answer.rawPayload) : answer.rawPayload;
    assert.ok(bytes.equals(plain));
  }
});

test("no entry names an artifact, and each commits to its body by a salt", async () => {
  const text = Buffer.concat(entries).toString("latin1");
  assert.doesNotMatch(text, /sha256|decision|default/);
});

const PROVEN = [1, 2, ...SIZES];
const get = async (route: string, query: Record<string, string>) => {
  await turn();
  return succeeds(node.app, 200, route, { as: anybody, query });
};
const base64 = (hashes: readonly Uint8Array[]) => hashes.map((hash) => Buffer.from(hash).toString("base64"));
const newest = async () => (await log.bytes("checkpoint")).toString();

test("proves that an entry is in the tree of a size", async () => {
  const checkpoint = await newest();
  for (const treeSize of PROVEN) {
    for (const index of [0, 1, 254, 255, 256, 511, 512, treeSize - 1].filter((i) => i < treeSize)) {
      assert.deepEqual(await get(INCLUSION, { index: `${index}`, treeSize: `${treeSize}` }), {
        index,
        treeSize,
        inclusionProof: base64(tree.path(index, treeSize)),
        checkpoint: treeSize === SIZE ? checkpoint : null,
      });
    }
  }
});

test("proves that one tree extends another", async () => {
  const checkpoint = await newest();
  for (const to of PROVEN) {
    for (const from of PROVEN.filter((size) => size <= to)) {
      assert.deepEqual(await get(CONSISTENCY, { from: `${from}`, to: `${to}` }), {
        from,
        to,
        consistencyProof: base64(tree.proof(from, to)),
        checkpoint: to === SIZE ? checkpoint : null,
      });
    }
  }
});

test("proves it of the newest tree where no size is named, and to anybody", async () => {
  const inclusion = await node.app.inject("/log/proof/inclusion?index=3");
  assert.deepEqual(inclusion.json(), await get(INCLUSION, { index: "3", treeSize: `${SIZE}` }));
  const consistency = await node.app.inject("/log/proof/consistency?from=300");
  assert.deepEqual(consistency.json(), await get(CONSISTENCY, { from: "300", to: `${SIZE}` }));
  // The empty tree is consistent with every tree.
  assert.deepEqual((await get(CONSISTENCY, { from: "0" })).consistencyProof, []);
});

const REFUSED: readonly (readonly [code: string, route: string, query: Record<string, string>])[] = [
  ["not-found", INCLUSION, { index: `${SIZE}` }],
  ["not-found", INCLUSION, { index: "0", treeSize: `${SIZE + 1}` }],
  ["not-found", INCLUSION, { index: "999999999999999" }],
  ["invalid-request", INCLUSION, { index: "5", treeSize: "5" }],
  ["invalid-request", INCLUSION, { index: "0", treeSize: "0" }],
  ["invalid-request", INCLUSION, {}],
  ["invalid-request", INCLUSION, { index: "05" }],
  ["invalid-request", INCLUSION, { index: "-1" }],
  ["invalid-request", INCLUSION, { index: "1e2" }],
  ["invalid-request", INCLUSION, { index: "9007199254740993" }],
  ["invalid-request", INCLUSION, { index: "1", size: "5" }],
  ["not-found", CONSISTENCY, { from: "1", to: `${SIZE + 1}` }],
  ["not-found", CONSISTENCY, { from: `${SIZE + 1}` }],
  ["invalid-request", CONSISTENCY, { from: "6", to: "5" }],
  ["invalid-request", CONSISTENCY, { to: "5" }],
  ["invalid-request", CONSISTENCY, { from: "" }],
];

test("refuses what no tree has, not yet or never", async () => {
  for (const [code, route, query] of REFUSED) {
    await turn();
    await fails(node.app, code, route, { as: anybody, query });
  }
});

test("gives receipts for many events at once, whatever the caller's role", async () => {
  const checkpoint = await newest();
  const indexes = [SIZE - 1, ...Array.from({ length: 254 }, (_, i) => i + 100), 511];
  for (const role of ROLES.filter((role) => role !== "agent")) {
    const as = await node.token([role]);
    const { receipts } = await succeeds(node.app, 200, RECEIPTS, { as, json: { indexes } });
    assert.deepEqual(
      receipts.map(({ index }: { index: number }) => index),
      indexes,
    );
    for (const receipt of receipts) {
      assert.equal(receipt.checkpoint, checkpoint);
      verifyReceipt(entries[receipt.index] ?? assert.fail(), receipt, node.v.log.verifierKey);
    }
  }
});

test("gives no receipts for events that are not the caller's project's", async () => {
  const id = "11111111-1111-4111-8111-111111111111";
  const other = await createProject(node.v.database.kysely, { id, name: "other", createdAt: 1 });
  const { token } = await createToken(node.v, { project: other.id }, { name: "other", roles: ["auditor"] });
  const foreign = await fails(node.app, "not-found", RECEIPTS, { as: token, json: { indexes: [101, 100] } });
  assert.deepEqual(foreign.indexes, [101, 100]);
  // The log's first event is the installation's, and the last index nobody's.
  const json = { indexes: [100, 0, SIZE] };
  const mixed = await fails(node.app, "not-found", RECEIPTS, { as: anybody, json });
  assert.deepEqual(mixed.indexes, [0, SIZE]);
});

test("takes up to 256 indexes, each once", async () => {
  const many = Array.from({ length: 257 }, (_, i) => i + 10);
  for (const indexes of [many, [], [10, 10], [-1], [1.5], ["10"], [2 ** 53], null]) {
    await fails(node.app, "invalid-request", RECEIPTS, { as: anybody, json: { indexes } });
  }
  await succeeds(node.app, 200, RECEIPTS, { as: anybody, json: { indexes: many.slice(1) } });
});

test("gives an auditor every event of the project, page by page, as the public entries have them", async () => {
  const as = await node.token(["auditor"]);
  const own = entries.flatMap((leaf, index) => (decodeLeaf(leaf).project === node.v.project ? [index] : []));
  const newestTree = { size: SIZE, root: tree.root(SIZE) };
  const read: number[] = [];
  for (let after: string | null = "0"; after !== null; ) {
    const query = { limit: "200", proofs: "true", after };
    const page = await succeeds(node.app, 200, EVENTS, { as, query });
    assert.deepEqual([page.project, page.treeSize], [node.v.project, SIZE]);
    for (const { index, about, body, ...bytes } of page.events) {
      const leaf = Buffer.from(bytes.leaf, "base64");
      assert.deepEqual(leaf, entries[index]);
      const salt = Buffer.from(bytes.salt, "base64");
      openEvent({ index, leaf, salt, body: encodeBody({ about, body }) });
      verifyInclusion(leafHash(leaf), index, newestTree, decodeProof(bytes.inclusionProof));
      read.push(index);
    }
    after = page.next;
  }
  assert.deepEqual(read, own);
  const { events, next } = await succeeds(node.app, 200, EVENTS, { as, query: { after: `${SIZE - 3}` } });
  assert.deepEqual([events.length, next, "inclusionProof" in events[0]], [2, null, false]);

  const query = { asOf: "300", type: "decision.recorded", limit: "200", after: "250" };
  const older = await succeeds(node.app, 200, EVENTS, { as, query });
  assert.deepEqual([older.events[0].index, older.events.at(-1).index, older.next], [251, 299, null]);
  assert.deepEqual(
    parseCheckpoint(`${older.checkpoint.split("\n\n")[0]}\n`).root,
    Buffer.from(tree.root(300)),
  );
  const none = await succeeds(node.app, 200, EVENTS, { as, query: { type: "quarantine.opened" } });
  assert.deepEqual([none.events, none.next], [[], null]);
});
