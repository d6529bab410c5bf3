import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { serveWitness, type WitnessLogEntry, type WitnessServer } from "../../src/witness/server.ts";
import { openWitness, type Witness } from "../../src/witness/witness.ts";
import { forkedLog } from "./forked-log.ts";

const log = forkedLog();
const { trunk } = log;
let directory: string;
let witness: Witness;
let server: WitnessServer;
const journal: WitnessLogEntry[] = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-witness-"));
  witness = await openWitness({ directory, name: "w.example", logs: [log.verifierKey], clock: Date.now });
  server = await serveWitness(witness, { host: "127.0.0.1", port: 0 }, (entry) => journal.push(entry));
});
after(async () => {
  await server.close();
  await witness.close();
  await rm(directory, { recursive: true, force: true });
});

const post = (body: string | Uint8Array, path = "/add-checkpoint") =>
  fetch(server.url + path, { method: "POST", body: Buffer.from(body) });

test("the statuses and bodies are those of tlog-witness", async () => {
  const cosigned = await post(log.submission(trunk, 0, 5));
  assert.equal(cosigned.status, 200);
  assert.match(await cosigned.text(), /^— w\.example [A-Za-z0-9+/=]+\n$/);

  const behind = await post(log.submission(trunk, 0, 7));
  assert.deepEqual([behind.status, behind.headers.get("content-type")], [409, "text/x.tlog.size"]);
  assert.equal(await behind.text(), "5\n");

  const another = await post(log.submission(log.fork(4), 5, 5));
  assert.deepEqual([another.status, another.headers.get("content-type")], [409, "text/plain; charset=utf-8"]);

  const forked = log.submission(log.fork(4), 5, 7);
  assert.equal((await post(forked)).status, 422);
  const { problem, ...refused } = journal.at(-1) ?? {};
  assert.deepEqual(refused, { event: "refused", status: 422, submission: forked });
  assert.ok(problem, "the operator is not told why");
});

test("its operator is told why it refuses, such as a log that signs with a key that was not given", async () => {
  const size = Number(await (await post(log.submission(trunk, 589, 590))).text());
  assert.deepEqual(journal.at(-1), {
    event: "refused",
    status: 409,
    problem: `a tree of ${size} entries was cosigned`,
  });
  const unsigned = forkedLog(log.origin).submission(trunk, size, size + 1);
  assert.equal((await post(unsigned)).status, 403);
  assert.deepEqual(journal.at(-1), {
    event: "refused",
    status: 403,
    problem: "none of the log's keys signed this",
  });
});

test("who it is stands on a page, and there is nothing else", async () => {
  const page = await fetch(server.url);
  assert.equal(page.status, 200);
  const said = await page.text();
  assert.ok(said.includes(witness.verifierKey) && said.includes(log.origin), said);
  assert.equal((await fetch(`${server.url}/add-checkpoint`)).status, 405);
  assert.equal((await fetch(`${server.url}/witness-key.pem`)).status, 404);
  assert.equal((await post("", "/")).status, 404);
});

test("bodies that are too large, or no text, are refused", async () => {
  assert.equal((await post(new Uint8Array(200_000))).status, 413);
  assert.equal((await post(Uint8Array.of(0x6f, 0xff, 0x0a, 0x0a))).status, 400);
  assert.equal((await post("")).status, 400);
});

test("a request that breaks off takes nothing with it", async () => {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.write("POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100\r\n\r\nold 0");
  socket.end();
  await text(socket);
  assert.equal((await fetch(server.url)).status, 200);
});
