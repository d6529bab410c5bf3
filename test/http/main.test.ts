import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { copyEmptyDatabase } from "../support/empty-database.ts";

const MAIN = new URL("../../src/http/main.ts", import.meta.url).pathname;

let dataDir: string;
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-main-"));
});
after(() => rm(dataDir, { recursive: true, force: true }));

function start(settings: Record<string, string> = {}): ChildProcess {
  const env = {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
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
  const server = start({ VOUCHSAFE_DRAIN_DELAY: "1" });
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
  // timeout(1) sends it to the process and to its group.
  setTimeout(() => server.kill("SIGTERM"), 5);
  // Load balancers are told first; whoever is still sent here is answered.
  while ((await fetch(new URL("/readyz", origin))).status === 200);
  assert.equal((await fetch(new URL("/healthz", origin))).status, 200);
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

test("settings that cannot be are refused together, each on a line of its own, with status 1", async () => {
  const server = start({ PORT: "http", DATABASE_URL: "mysql://x" });
  const said = printed(server, /^vouchsafe: configuration-invalid: .*\n((?: {2}.*\n){2})/, "stderr");
  assert.deepEqual(await once(server, "exit"), [1, null]);
  assert.match(await said, /^ {2}PORT .*\n {2}DATABASE_URL .*\n$/);
});

test("policies are read again on SIGHUP, and whenever they changed where that is asked for", {
  timeout: 60_000,
}, async () => {
  const directory = join(dataDir, "policies-of-its-own");
  await mkdir(directory);
  const policy = (name: string) => `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: {name: ${name}}
spec:
  artifacts: {names: ["**"]}
  signers: [{key: builder}]
`;
  const write = (text: string) => writeFile(join(directory, "policy.yaml"), text);
  await write(policy("first"));
  await copyEmptyDatabase(join(dataDir, "reload"));
  const server = start({
    VOUCHSAFE_DATA_DIR: join(dataDir, "reload"),
    VOUCHSAFE_POLICIES: directory,
    VOUCHSAFE_POLICIES_RELOAD: "watch",
  });
  const origin = await printed(server, /listens on (http:\S+)/);
  const token = (await readFile(join(dataDir, "reload", "operator-token"), "utf8")).trim();
  const lines = createInterface({ input: server.stdout ?? assert.fail("it has a stdout") });
  const told = lines[Symbol.asyncIterator]();
  /** Resolves when a line has told this. */
  const tells = async (what: RegExp) => {
    for (;;) {
      const { value, done } = await told.next();
      if (done === true) assert.fail(`it ended without telling ${what}`);
      if (what.test(value)) return;
    }
  };
  const get = async (path: string) => {
    const answer = await fetch(new URL(path, origin), { headers: { authorization: `Bearer ${token}` } });
    return JSON.parse(await answer.text());
  };
  const reasonBy = async (name: string) => {
    const { reasons } = await get(`/verify-digest?digest=sha256:${"0".repeat(64)}&policy=${name}`);
    return reasons[0].code;
  };

  server.kill("SIGHUP");
  await tells(/was read again: it has not changed"/);

  await write(policy("second").replace("signers", "singers"));
  await tells(
    /"level":"error","msg":"[^"]*what was in force stays in force".*policy\.yaml:6:3: unknown key `singers`/,
  );
  const before = await get("/policies");
  assert.deepEqual([before.policies[0].name, before.lastReload.outcome], ["first", "refused"]);
  assert.deepEqual([await reasonBy("first"), await reasonBy("second")], ["no-verdict", "unknown-policy"]);

  await write(policy("second"));
  await tells(/its policies are in force now"/);
  assert.deepEqual([await reasonBy("first"), await reasonBy("second")], ["unknown-policy", "no-verdict"]);
  server.kill("SIGTERM");
  assert.deepEqual(await once(server, "exit"), [0, null]);
});

/** Waits until a stream of the process has held the pattern, and gives its first group. */
async function printed(
  server: ChildProcess,
  pattern: RegExp,
  stream: "stdout" | "stderr" = "stdout",
): Promise<string> {
  let text = "";
  // Whoever reads on must find it open.
  for await (const chunk of server[stream]?.iterator({ destroyOnReturn: false }) ?? []) {
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
