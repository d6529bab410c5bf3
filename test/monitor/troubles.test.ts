import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Alarm } from "../../src/monitor/alarm.ts";
import { ed25519Cosigner } from "../../src/tlog/cosignature.ts";
import { ed25519Signer, parseNote } from "../../src/tlog/note.ts";
import { parseWitnessPolicy } from "../../src/tlog/witness-policy.ts";
import { assertEnded, startVouchsafe, vouchsafe } from "../cli/vouchsafe.ts";
import { growLog } from "../support/grow-log.ts";
import { stopPostgres } from "../support/postgres.ts";
import { type Between, type FollowedLog, followLog, startLog } from "./followed-log.ts";

let directory: string;
let log: FollowedLog;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-troubled-"));
  log = await startLog(directory, ["old.pem"]);
  await growLog(log.v, 300);
});
after(async () => {
  await log.close();
  await log.postgres.drop();
  await stopPostgres();
  await rm(directory, { recursive: true, force: true });
});

const kinds = (alarms: readonly Alarm[]) => alarms.map(({ alarm }) => alarm);
const text = (value: string) => Promise.resolve(Buffer.from(value));

const UNREADABLE: readonly (readonly [string, Between])[] = [
  ["no checkpoint", (path) => (path === "/log/checkpoint" ? text("<html>gone fishing</html>") : undefined)],
  ["no text", (path) => (path === "/log/checkpoint" ? Promise.resolve(Buffer.of(255)) : undefined)],
  ["no tiles", (path) => (path.startsWith("/log/tile/0") ? text("too few") : undefined)],
  ["no events", (path) => (path.startsWith("/events") ? text('{"events": 7}') : undefined)],
  ["another project", (path, ask) => (path.includes("after") ? otherProject(ask()) : undefined)],
];

async function otherProject(answer: Promise<Uint8Array>): Promise<Uint8Array> {
  const page = JSON.parse(Buffer.from(await answer).toString());
  return Buffer.from(JSON.stringify({ ...page, project: "11111111-1111-4111-8111-111111111111" }));
}

test("a server that cannot be read is an alarm when it lasts, and not before", async () => {
  for (const [what, lie] of UNREADABLE) {
    const monitor = await followLog(log);
    monitor.lie(lie);
    const { end, alarms } = await monitor.round();
    // Tiles that are none are known for that at once: no cut connection makes them.
    if (what === "no tiles") assert.deepEqual([end, kinds(alarms)], ["done", ["entries"]]);
    else {
      assert.deepEqual([end, alarms], ["unknown", []], what);
      monitor.advance(61_000);
      assert.deepEqual(kinds((await monitor.round()).alarms), ["unreachable"], what);
    }
    monitor.lie(() => undefined);
    assert.deepEqual(await monitor.round(), { end: "done", alarms: [], read: 300 }, what);
    await monitor.close();
  }
});

test("a log that does not grow is an alarm where somebody asked for that", async () => {
  const monitor = await followLog(log, { maxAge: 3_600_000 });
  assert.deepEqual((await monitor.round()).alarms, []);
  monitor.advance(3_601_000);
  assert.deepEqual(kinds((await monitor.round()).alarms), ["stale"]);
  await monitor.close();
});

test("a checkpoint without its witnesses is an alarm when it lasts, and a false cosignature at once", async () => {
  const witness = ed25519Cosigner("witness.example", generateKeyPairSync("ed25519").privateKey);
  const policy = `witness w ${witness.verifierKey}\nquorum w\n`;
  const monitor = await followLog(log, { witnesses: parseWitnessPolicy(Buffer.from(policy)) });
  assert.deepEqual((await monitor.round()).alarms, []);
  monitor.advance(61_000);
  assert.deepEqual(kinds((await monitor.round()).alarms), ["unwitnessed"]);
  const note = (await log.app.inject("/log/checkpoint")).body;
  const cosign = (said: string) => text(note + witness.cosign(said, 1_700_000_000));
  monitor.lie((path) => (path === "/log/checkpoint" ? cosign(parseNote(note).text) : undefined));
  assert.deepEqual((await monitor.round()).alarms, []);
  monitor.lie((path) => (path === "/log/checkpoint" ? cosign("another\n") : undefined));
  const { alarms } = await monitor.round();
  assert.deepEqual(kinds(alarms), ["signature"]);
  const [kept] = alarms[0]?.evidence ?? [];
  assert.equal(await readFile(kept ?? "", "utf8"), note + witness.cosign("another\n", 1_700_000_000));
  await monitor.close();
});

test("the command goes on after a kill at any moment, and its exit status says what it found", async () => {
  const key = join(directory, "verifier-key");
  await writeFile(key, log.v.log.verifierKey);
  const options = { cwd: directory, env: { VOUCHSAFE_TOKEN: log.auditor } };
  const command = ["--server", log.url, "log", "monitor", "--log-key", key];
  const once = (...args: string[]) => vouchsafe([...command, "--once", ...args], options);

  const watching = [...command, "--interval", "1s", "--watch-digest", "*"];
  for (const wait of [0, 30, 90]) {
    const running = await startVouchsafe(watching, {
      ...options,
      ready: /^ALARM watched .*policy.activated/,
    });
    await sleep(wait);
    await running.kill();
    // It may be told again: it was told before it was noted, and the kill came before or after that.
    const { status, stdout } = await once("--watch-digest", "*");
    assert.ok(status === 0 || status === 1, stdout);
    assert.match(stdout, /read 300 entries/);
    await rm(join(directory, ".vouchsafe-monitor"), { recursive: true });
  }

  assertEnded(await once(), 0, "stdout", /read 300 entries .* 0 alarms/);
  assertEnded(await once("--watch-signer", "a?b"), 2, "stderr", /--watch-signer/);
  await writeFile(join(directory, ".vouchsafe-monitor", "state.json"), "{}");
  assertEnded(await once(), 2, "stderr", /state is damaged/);
  const nowhere = ["--server", "http://127.0.0.1:1", ...command.slice(2), "--once", "--state", "new"];
  assertEnded(await vouchsafe(nowhere, { cwd: directory }), 3, "stderr", /cannot be reached/);
});

test("a key that signs besides the one given is an alarm that says whether it was vouched for; so is its entry", async () => {
  const given = log.v.log.verifierKey;
  const monitor = await followLog(log, { verifierKeys: given });
  await monitor.round();
  await log.close();
  log = await startLog(directory, ["old.pem", "new.pem"], log.postgres);
  const rotated = await followLog(log, { verifierKeys: given });
  const { alarms } = await rotated.round();
  assert.deepEqual(kinds(alarms), ["key-change", "key-change"]);
  assert.match(alarms[0]?.message ?? "", /vouches for them, by entry 300/);
  assert.equal(alarms[1]?.index, 300);

  rotated.lie((path) => (path === "/log/keys" ? text("{}") : undefined));
  const [unvouched] = (await rotated.round()).alarms;
  assert.match(unvouched?.message ?? "", /No key that was given is shown to vouch/);

  const other = ed25519Signer(log.v.log.origin, generateKeyPairSync("ed25519").privateKey);
  const strange = await followLog(log, { verifierKeys: other.verifierKey });
  const { alarms: both, read } = await strange.round();
  assert.deepEqual([kinds(both), read], [["key-change", "signature"], 0]);
  for (const followed of [monitor, rotated, strange]) await followed.close();
});
