import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { VouchsafeError } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import { ROLES } from "../../src/services/caller.ts";
import { openNode, type TestNode, turn } from "./node.ts";

const PASSPHRASE = `passphrase ${randomBytes(16).toString("hex")}`;
/** What must never be told, by what it is. */
const secrets = new Map<string, string>([["passphrase", PASSPHRASE]]);
const lines: string[] = [];

let directory: string;
let node: TestNode;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-logs-"));
  await writeFile(join(directory, "passphrase"), `${PASSPHRASE}\n`, { mode: 0o600 });
  const logger = createLog({ level: "trace", write: (line) => void lines.push(line) });
  node = await openNode({ VOUCHSAFE_KEY_PASSPHRASE_FILE: join(directory, "passphrase") }, { logger });
  const segment = () => randomBytes(24).toString("base64url");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  secrets.set("bearer token", await node.token(ROLES, { mayChoosePolicy: true }));
  secrets.set("unknown bearer token", `vouchsafe_${segment()}`);
  secrets.set("OIDC token", `eyJhbGciOiJFUzI1NiJ9.${segment()}.${segment()}`);
  secrets.set("agent's proof", `${segment()}.${segment()}.${segment()}`);
  secrets.set("join token", `join_${segment()}`);
  secrets.set("key", privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"));
});
after(async () => {
  await node.close();
  await rm(directory, { recursive: true, force: true });
});

/** Calls every route with every credential, and with secrets in its path, query and body. */
async function callEverything(): Promise<number[]> {
  const statuses: number[] = [];
  const secret = (name: string) => secrets.get(name) ?? assert.fail(name);
  const credentials = [
    ...["bearer token", "unknown bearer token", "OIDC token"].map((name) => `Bearer ${secret(name)}`),
    `Vouchsafe-Agent ${secret("agent's proof")}`,
  ];
  const payload = JSON.stringify({ csr: secret("key"), token: secret("join token"), reason: secret("key") });
  for (const route of node.app.routeAccess.keys()) {
    const [method = "", path = ""] = route.split(" ");
    if (/stream$|^\/events/.test(path) || method === "HEAD") continue;
    for (const authorization of credentials) {
      await turn();
      const { statusCode } = await node.app.inject({
        method: method as "GET",
        url: `${path.replaceAll(/:\w+|\*/g, encodeURIComponent(secret("join token")))}?key=${encodeURIComponent(secret("key"))}`,
        headers: {
          authorization,
          cookie: secret("bearer token"),
          ...(method === "POST" && { "content-type": "application/json" }),
        },
        ...(method === "POST" && { payload }),
      });
      statuses.push(statusCode);
    }
  }
  return statuses;
}

function assertNoSecrets(): void {
  const told = lines.join("");
  for (const [name, secret] of secrets) {
    assert.ok(!told.includes(secret), `the ${name} was told`);
    assert.ok(!told.includes(secret.slice(-20)), `a part of the ${name} was told`);
  }
}

test("no secret is told at the finest level, of what is answered, refused, and failed", async () => {
  node.v.obstacles.set("test", new VouchsafeError("unavailable", "a test keeps this node from growing"));
  const statuses = await callEverything();
  const beyond = await node.app.inject({
    url: `/verify-digest?digest=sha256:${"0".repeat(64)}&minSize=1000000`,
    headers: { authorization: `Bearer ${secrets.get("bearer token")}` },
  });
  statuses.push(beyond.statusCode);
  assert.ok(statuses.some((status) => status >= 500));
  assert.ok(lines.length > 0);
  assertNoSecrets();
});

test("a stranger who leaves before it is refused is no error of ours", async () => {
  await node.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = node.app.server.address() as AddressInfo;
  const before = lines.length;
  for (let i = 0; i < 10; i += 1) {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const token = `vouchsafe_0123456789abcdef_${"A".repeat(42)}${i}`;
    socket.write(`GET /policies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    // It is being looked up.
    await sleep(i % 3);
    socket.resetAndDestroy();
  }
  await node.app.inject({ url: "/policies", headers: { authorization: `Bearer ${"A".repeat(43)}` } });
  await sleep(100);
  const errors = lines.slice(before).filter((line) => JSON.parse(line).level === "error");
  assert.deepEqual(errors.slice(0, 1), []);
});

test("what keeps the node from being ready is not told again for each probe", async () => {
  assert.ok(node.v.obstacles.has("test"));
  const before = lines.length;
  for (let probe = 0; probe < 3; probe += 1) assert.equal((await node.app.inject("/readyz")).statusCode, 503);
  const told = lines.slice(before).filter((line) => JSON.parse(line).level !== "trace");
  assert.deepEqual(told, []);
});

test("every line is JSON of one shape, and one of a request names it", () => {
  for (const line of lines) {
    const { time, level, msg } = JSON.parse(line);
    assert.equal(new Date(time).toISOString(), time);
    assert.ok(["fatal", "error", "warn", "info", "debug", "trace"].includes(level));
    assert.ok(typeof msg === "string" && msg !== "", line);
    assert.ok(!line.slice(0, -1).includes("\n"));
  }
  const failed = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "request failed");
  assert.ok(failed.length > 0);
  for (const { instance, route, code, err } of failed) {
    assert.match(instance, /^[0-9a-f-]{36}$/);
    assert.match(route, /^[A-Z]+ \//);
    assert.ok(code && err.message);
  }
});
