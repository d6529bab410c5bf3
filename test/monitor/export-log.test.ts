import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openExportVerifier } from "../../src/custody/verify-log-export.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { ed25519Signer } from "../../src/tlog/note.ts";
import { assertEnded, vouchsafe } from "../cli/vouchsafe.ts";
import fc from "../support/fc.ts";
import { growLog } from "../support/grow-log.ts";
import { stopPostgres } from "../support/postgres.ts";
import { committed, digestOf, pushProposal } from "../support/pushes.ts";
import { type FollowedLog, startLog } from "./followed-log.ts";

const SIZE = 520;
let directory: string;
let log: FollowedLog;
/** Of the whole log, by an auditor. */
let archive: Buffer;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-export-"));
  log = await startLog(directory, ["log-key.pem"]);
  const { v } = log;
  for (const text of ["one", "another"]) {
    await v.projection.follow();
    committed(await v.writer.append(pushProposal(digestOf(text), v.projection.size, { project: v.project })));
  }
  await v.projection.follow();
  await growLog(v, SIZE);
  await writeFile(join(directory, "log.pub"), v.log.verifierKey);
  await writeFile(join(directory, "checkpoint"), (await log.app.inject("/log/checkpoint")).body);
  archive = await exported("whole.jsonl");
});
after(async () => {
  await log.close();
  await log.postgres.drop();
  await stopPostgres();
  await rm(directory, { recursive: true, force: true });
});

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  vouchsafe(["--server", log.url, "log", ...args], { cwd: directory, env });

async function exported(file: string, args: readonly string[] = [], token?: string): Promise<Buffer> {
  const ended = await run(["export", ...args, "-o", file], { VOUCHSAFE_TOKEN: token ?? log.auditor });
  assertEnded(ended, 0, "stdout", /^wrote /);
  return readFile(join(directory, file));
}

function verify(bytes: Uint8Array, key = log.v.log.verifierKey) {
  const verifier = openExportVerifier(key);
  verifier.read(bytes);
  return verifier.finish();
}

test("an auditor's export of the whole log holds offline, with what came with its events", async () => {
  assertEnded(
    await run(["verify-export", "whole.jsonl", "--log-key", "log.pub"]),
    0,
    "stdout",
    /These are the 520 entries of that log from entry 0 on, every one\.[\s\S]*The exported range holds/,
  );
  const kinds = archive
    .toString()
    .split("\n")
    .map((line) => Object.keys(JSON.parse(line || "{}")));
  const count = (name: string) => kinds.filter((names) => names.includes(name)).length;
  assert.equal(count("entry") + count("event"), SIZE);
  assert.deepEqual([count("evidence"), count("trust")], [2, 1]);
  assert.ok(count("entry") > 0, "the installation's own");
});

test("the same range under the same checkpoint gives the same bytes, however the log has grown", async () => {
  await growLog(log.v, SIZE + 5);
  const again = await exported("again.jsonl", ["--checkpoint", "checkpoint"]);
  assert.ok(again.equals(archive));
  const whole = await exported("grown.jsonl", ["--to", `${SIZE}`]);
  assert.ok(verify(whole).ok);
  const withoutHeader = (bytes: Buffer) => bytes.subarray(bytes.indexOf("\n"));
  assert.ok(withoutHeader(whole).equals(withoutHeader(archive)), "and under another only its header differs");
});

test("ranges that follow one another hold each for itself", async () => {
  for (const [from, to] of [
    [0, 0],
    [0, 7],
    [7, 256],
    [256, 300],
    [519, 520],
  ] as const) {
    const bytes = await exported(`${from}-${to}.jsonl`, ["--from", `${from}`, "--to", `${to}`]);
    const report = verify(bytes);
    assert.deepEqual([report.ok, report.from, report.to], [true, from, to], JSON.stringify(report.checks));
  }
  const beyond = await run(["export", "--to", "9999", "-o", "none"], { VOUCHSAFE_TOKEN: log.auditor });
  assertEnded(beyond, 1, "stderr", /has no entries 0 up to 9999/);
});

test("anybody exports the entries alone", async () => {
  const ended = await run(["export", "-o", "public.jsonl"]);
  assertEnded(ended, 0, "stdout", /^wrote/);
  const bytes = await readFile(join(directory, "public.jsonl"));
  assert.ok(!bytes.includes('"event"'));
  const report = verify(bytes);
  assert.deepEqual([report.ok, report.project], [true, null]);
});

test("no byte can be changed, and nothing left out, without being noticed", () => {
  const holds = (bytes: Uint8Array) => {
    try {
      return verify(bytes).ok;
    } catch (error) {
      assert.ok(error instanceof VouchsafeError && error.code === "pack-invalid", String(error));
      return false;
    }
  };
  assert.ok(holds(archive));
  const place = fc.integer({ min: 0, max: archive.length - 1 });
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 255 }), (at, change) => {
      const altered = Buffer.from(archive);
      altered[at] = (altered[at] ?? 0) ^ change;
      assert.ok(!holds(altered), `byte ${at}`);
      assert.ok(!holds(archive.subarray(0, at)), `cut at ${at}`);
    }),
    { numRuns: 30 },
  );
  const lines = archive.toString().split("\n");
  for (let i = 0; i < 12; i += 1) {
    assert.ok(!holds(Buffer.from(lines.toSpliced(i, 1).join("\n"))), `without line ${i + 1}`);
    assert.ok(!holds(Buffer.from(lines.toSpliced(i, 0, lines[i] ?? "").join("\n"))), `line ${i + 1} twice`);
  }
});

test("another log's key does not vouch for it", () => {
  const other = ed25519Signer(log.v.log.origin, generateKeyPairSync("ed25519").privateKey);
  const { ok, log: vouching } = verify(archive, other.verifierKey);
  assert.deepEqual([ok, vouching], [false, null]);
});

test("the few events of a type are found in a long log", async () => {
  const { v } = log;
  await growLog(v, 2_200);
  await v.projection.follow();
  committed(await v.writer.append(pushProposal(digestOf("late"), v.projection.size, { project: v.project })));
  const answer = await log.app.inject({
    url: "/events?type=evidence.accepted",
    headers: { authorization: `Bearer ${log.auditor}` },
  });
  const { events, next } = answer.json();
  assert.deepEqual([events.length, events.at(-1).index, next], [3, 2_200, null]);
});
