/** More than a node can do, for a while. It loads the machine, so only VOUCHSAFE_LONG=1 asks for it. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../../src/client/client.ts";
import { type RunningServer, startServer } from "../cli/server.ts";
import { envelopeKey, signedEnvelope } from "../services/signed-envelope.ts";
import { flood, type Stream } from "../support/http-flood.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { createPostgres, settingsOf, stopPostgres, type TestPostgres } from "../support/postgres.ts";

const skip = UNLESS_LONG;
const SECONDS = 90;
/** Of one uploader and one issuer: many times what is answered at once. */
const PUSHES = 800;
const DECISIONS = 200;
const POLICY = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec:
  artifacts: { names: ["widget*"] }
  signers: [{ key: builder }]
`;

let directory: string;
let postgres: TestPostgres;
let server: RunningServer;
before(async () => {
  if (skip !== false) return;
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-overload-"));
  postgres = await createPostgres();
});
after(async () => {
  if (skip !== false) return;
  await server.stop();
  await postgres.drop();
  await stopPostgres();
  await rm(directory, { recursive: true, force: true });
});

test("load beyond capacity is answered with 2xx, 429 and 503; memory stays flat, and the node is quick right after", {
  skip,
  timeout: 600_000,
}, async () => {
  const key = envelopeKey();
  await mkdir(join(directory, "policies"));
  await writeFile(join(directory, "policies", "release.yaml"), POLICY);
  await writeFile(join(directory, "builder.pem"), key.pem);
  server = await startServer({
    ...settingsOf(postgres),
    VOUCHSAFE_DATA_DIR: join(directory, "data"),
    VOUCHSAFE_POLICIES: join(directory, "policies"),
    VOUCHSAFE_KEYS: join(directory, "builder.pem"),
    LOG_LEVEL: "silent",
  });
  const operator = createClient({
    server: server.url,
    token: (await readFile(join(directory, "data", "operator-token"), "utf8")).trim(),
  });
  const { token: uploader } = await operator.createToken({ name: "uploader", roles: ["uploader"] });
  const { token: issuer } = await operator.createToken({
    name: "issuer",
    roles: ["issuer"],
    policies: ["release"],
  });
  const known: string[] = [];
  const pushes: Stream = {
    connections: PUSHES,
    next() {
      const { digest, bytes } = signedEnvelope(key.privateKey);
      if (known.length < 50_000) known.push(digest);
      const headers = { authorization: `Bearer ${uploader}`, "content-type": "application/json" };
      return { method: "POST", path: "/attestations", headers, body: bytes };
    },
  };
  const decisions: Stream = {
    connections: DECISIONS,
    next() {
      const digest = known[Math.floor(Math.random() * known.length)] ?? `sha256:${"0".repeat(64)}`;
      const headers = { authorization: `Bearer ${issuer}` };
      return { method: "GET", path: `/verify-digest?digest=${digest}`, headers };
    },
  };
  // What a node keeps fills up first: the caches, the heap's spaces, the pool.
  const warm = flood(server.url, [
    { ...pushes, connections: 32 },
    { ...decisions, connections: 8 },
  ]);
  await sleep(10_000);
  await warm.stop();
  // The same questions before and after: what is in memory is answered otherwise than what nobody asked about.
  const asked = known.slice(0, 500);
  const before = await latency(asked, issuer);

  const load = flood(server.url, [pushes, decisions]);
  const memory: number[] = [];
  for (let second = 0; second < SECONDS; second += 1) {
    await sleep(1_000);
    memory.push(await residentBytes());
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  }
  await load.stop();
  const after = await latency(asked, issuer);

  const third = Math.floor(SECONDS / 3);
  const [middle, last] = [median(memory.slice(third, 2 * third)), median(memory.slice(2 * third))];
  console.log({ statuses: Object.fromEntries(load.statuses), before, after, middle, last });
  for (const status of load.statuses.keys()) assert.ok([200, 201, 429, 503].includes(status), `${status}`);
  const refused = (load.statuses.get(429) ?? 0) + (load.statuses.get(503) ?? 0);
  assert.ok(refused > (load.statuses.get(201) ?? 0), "it was no more than the node could do");
  assert.ok(last < 1.25 * middle, `memory grew from ${middle} to ${last} bytes`);
  assert.ok(
    after < 3 * before,
    `a decision took ${before} times a sign of life before, and ${after} times after`,
  );
});

/** How long a decision takes while nobody else asks, in what the same server takes to say that it lives: other processes slow both. */
async function latency(digests: readonly string[], token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const timed = async (path: string) => {
    const start = performance.now();
    const answer = await fetch(`${server.url}${path}`, { headers });
    await answer.arrayBuffer();
    assert.equal(answer.status, 200);
    return performance.now() - start;
  };
  const [decisions, signs]: [number[], number[]] = [[], []];
  for (const digest of digests) {
    decisions.push(await timed(`/verify-digest?digest=${digest}`));
    signs.push(await timed("/healthz"));
  }
  return median(decisions) / median(signs);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
