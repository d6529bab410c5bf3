import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const MAIN = new URL("../../src/http/main.ts", import.meta.url).pathname;

let dataDir: string;
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-main-"));
});
after(() => rm(dataDir, { recursive: true, force: true }));

function start(settings: Record<string, string> = {}): ChildProcess {
  const env = {
    PATH: process.env.PATH,
    VOUCHSAFE_DATA_DIR: dataDir,
    VOUCHSAFE_TUF: "off",
    PORT: "0",
    ...settings,
  };
  return spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
}

test("a start says where it listens; SIGTERM lets what is under way end, and ends with 0", {
  timeout: 60_000,
}, async () => {
  const server = start();
  const origin = new URL(await printed(server, /listens on (http:\S+)/));
  const token = (await readFile(join(dataDir, "operator-token"), "utf8")).trim();

  // A request whose second half comes after the signal.
  const body = '{"artifact":"sha256:ab","reason":"r"}';
  const socket = connect(Number(origin.port), origin.hostname);
  socket.write(
    `POST /quarantines HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
  );
  await fetch(new URL("/readyz", origin));
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  await refusesConnections(origin);
  const completed = performance.now();
  socket.write(body.slice(10));
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.match(answer, /"code":"malformed-digest"/);
  assert.deepEqual(await ended, [0, null]);
  // Kept alive, the connection would have held the process until its grace was over.
  assert.ok(performance.now() - completed < 9_000);
});

test("a data directory that is a file is refused in one sentence, with status 1", async () => {
  const server = start({ VOUCHSAFE_DATA_DIR: MAIN });
  const said = printed(server, /^vouchsafe: configuration-invalid: (.*)$/m, "stderr");
  assert.deepEqual(await once(server, "exit"), [1, null]);
  assert.match(await said, /main\.ts/);
});

test("settings that cannot be are refused in one sentence that names each, with status 1", async () => {
  const server = start({ PORT: "http", DATABASE_URL: "mysql://x" });
  const said = printed(server, /^(vouchsafe: configuration-invalid: .*)$/m, "stderr");
  assert.deepEqual(await once(server, "exit"), [1, null]);
  assert.match(await said, /PORT.*DATABASE_URL/);
});

/** Waits until a stream of the process has held the pattern, and gives its first group. */
async function printed(
  server: ChildProcess,
  pattern: RegExp,
  stream: "stdout" | "stderr" = "stdout",
): Promise<string> {
  let text = "";
  for await (const chunk of server[stream] ?? []) {
    text += chunk;
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`the server ended without saying ${pattern}: ${text}`);
}

async function refusesConnections({ hostname, port }: URL): Promise<void> {
  for (;;) {
    const probe = connect(Number(port), hostname);
    const isOpen = await once(probe, "connect").then(
      () => true,
      () => false,
    );
    probe.destroy();
    if (!isOpen) return;
  }
}
