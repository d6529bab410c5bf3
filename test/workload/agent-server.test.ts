/** Agents, their server and programs as processes: a server that is away, and everybody who must get nothing. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createPublicKey, hash, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createX509Minter, serialFrom } from "../../src/identity/x509-svid.ts";
import { parseX509Svid } from "../../src/identity/x509-validation.ts";
import { digestOf, sha256 } from "../../src/in-toto-attestation/digest.ts";
import { credentialOf, readCredential, writeCredential } from "../../src/workload/agent-credential.ts";
import { newKey } from "../../src/workload/key-request.ts";
import { bareEnvironment } from "../cli/server.ts";
import { vouchsafe } from "../cli/vouchsafe.ts";
import { AUDIENCE, ISSUER, startCluster } from "../identity/cluster.ts";
import { testAuthority } from "../identity/trust-domain.ts";
import { endWithParent } from "../support/child.ts";
import { collected } from "../support/collected.ts";
import { startCutProxy } from "../support/cut-proxy.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { type AgentHouse, openAgentHouse } from "./agent-house.ts";
import { type Executable, tamperedCopy } from "./executable.ts";
import type { RunningAgent } from "./run-agent.ts";
import { ask, type Line, startProgram, startWorkload } from "./run-workload.ts";

const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const HOLDER = fileURLToPath(new URL("holder.cjs", import.meta.url));
/** Seconds. */
const [BRIEF, LONG] = [4, 12];

const workload = (name: string, agent: string, ttl = LONG, file = name) => `
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: ${name} }
spec:
  selectors: ["unix:path:/**/${file}"]
  spiffeId: /${name}
  policies: [release]
  ttl: { x509: ${ttl}s }
  requesters: { agents: ["spiffe://vouchsafe.local/vouchsafe/agent/${agent}"] }
`;
const WORKLOADS = [
  workload("widget", "node-1"),
  workload("python", "node-1", LONG, "python*"),
  workload("brief", "node-1", BRIEF),
  workload("elsewhere", "node-2"),
  workload("composite", "node-1", BRIEF).replace(
    "policies: [release]",
    'components: { executable: { policies: [release] }, prompts: { policies: [release], files: ["{house}/prompts/*.md"] } }',
  ),
].join("---");

const cluster = await startCluster();
const ENROLLMENT = `
apiVersion: vouchsafe.dev/v1
kind: AgentEnrollment
metadata: { name: production }
spec:
  kubernetes:
    cluster: production
    issuer: ${ISSUER}
    audience: ${AUDIENCE}
    serviceAccounts: [vouchsafe/agent]
    keys: '${cluster.jwks}'
`;

describe("agents of a server", {
  skip: (process.platform !== "linux" && "only Linux attests") || UNLESS_LONG,
}, () => {
  let house: AgentHouse;
  let agent: RunningAgent;
  let brief: Executable;
  before(async () => {
    house = await openAgentHouse([WORKLOADS, ENROLLMENT].join("---"));
    brief = await tamperedCopy(house.widget, "brief");
    await house.release(brief.digest);
    agent = await house.join("node-1");
  });
  after(() => house.close());

  const call = (executable: Executable, node = "node-1") =>
    ask({ executable: executable.path, socket: house.path(`${node}.sock`), method: "FetchX509SVID" });
  const stream = (executable: Executable) =>
    startWorkload({
      executable: executable.path,
      socket: house.path("node-1.sock"),
      method: "FetchX509SVID",
    });

  test("while the server is away streams keep what they have until it ends, and go on once it is back", async () => {
    const wire = await startCutProxy(house.server.url);
    await agent.stop();
    agent = await house.start("node-1", wire.through(house.server.url));
    const [living, ending] = [stream(house.widget), stream(brief)];
    try {
      const [held, briefly] = [leafOf(await living.next()), leafOf(await ending.next())];
      wire.cut();
      // Another process of the same.
      assert.equal(serialOf(leafOf(await call(house.widget))), serialOf(held));

      const ended = await ending.next();
      assert.equal(ended.code, UNAVAILABLE);
      assert.ok(Date.now() >= Date.parse(briefly.validTo), "the stream ended before its SVID did");
      assert.equal((await call(brief)).code, UNAVAILABLE);
      // Past the time when it asks for the next one.
      await sleep(Date.parse(held.validTo) - Date.now() - 0.45 * LONG * 1000);
      wire.mend();
      // The first that it was told since it got what it held.
      const renewed = leafOf(await living.next());
      assert.ok((await call(brief)).answer);

      const events = await collected(house.operator.custodyEvents(house.widget.digest));
      const { type, body } = events.find(({ body }) => body.serial === serialOf(renewed)) ?? {};
      assert.deepEqual([type, body?.renews], ["identity.renewed", serialOf(held)]);
    } finally {
      await living.stop();
      await ending.stop();
      await agent.stop();
      await wire.close();
      agent = await house.start("node-1");
    }
  });

  test("an agent that waits for its server ends when it is told to, before it joined and while one hangs", async () => {
    await writeFile(house.path("joiner-token"), "not asked for yet");
    const args = ["--data-dir", house.path("joiner"), "--join-token-file", house.path("joiner-token")];
    const joining = spawn(
      process.execPath,
      [MAIN, "--server", "http://127.0.0.1:1", "agent", "--socket", house.path("joiner.sock"), ...args],
      { env: bareEnvironment(), stdio: ["ignore", "inherit", "pipe"] },
    );
    endWithParent(joining);
    const [said] = await once(joining.stderr, "data");
    assert.match(String(said), /^trying again/);
    joining.kill("SIGTERM");
    assert.deepEqual(await once(joining, "exit"), [0, null]);

    await agent.stop();
    house.server.freeze();
    try {
      agent = await house.start("node-1");
      const at = performance.now();
      await agent.stop();
      assert.ok(performance.now() - at < 5000, `${performance.now() - at} ms`);
    } finally {
      house.server.thaw();
    }
    agent = await house.start("node-1");
  });

  test("an agent gets nothing that is another agent's, and the log says that it asked", async () => {
    const other = await house.join("node-2");
    const elsewhere = await tamperedCopy(house.widget, "elsewhere");
    await house.release(elsewhere.digest);
    assertDenied(await call(elsewhere, "node-1"), "no-workload-policy");
    assertDenied(await call(house.widget, "node-2"), "no-workload-policy");
    const { answer } = await call(elsewhere, "node-2");
    assert.equal(answer.svids[0].spiffe_id, "spiffe://vouchsafe.local/elsewhere");
    const events = await collected(house.operator.custodyEvents(elsewhere.digest));
    assert.deepEqual(
      events
        // A verdict that the agent hears of after its first grant has it ask once more.
        .filter(({ type }) => ["identity.denied", "identity.issued"].includes(type))
        .map(({ type, body }) => [type, body.requester]),
      [
        ["identity.denied", agent.id],
        ["identity.issued", other.id],
      ],
    );
    await other.stop();
  });

  test("an agent with a foreign authority's certificate of its name gets nothing", async () => {
    const path = house.path("node-1/agent.pem");
    const own = await readFile(path, "utf8");
    const { spiffeId } = (await readCredential(path)) ?? assert.fail("the agent keeps no credential");
    const key = await newKey();
    const now = Date.now();
    const forged = await createX509Minter(testAuthority("vouchsafe.local", now))({
      spki: createPublicKey(key).export({ format: "der", type: "spki" }),
      spiffeId,
      serial: serialFrom(randomBytes(16)),
      notBefore: now - 1000,
      notAfter: now + 3_600_000,
    });
    await agent.stop();
    await writeCredential(path, credentialOf([forged], key));
    const stranger = await house.start("node-1");
    const refused = await call(house.widget);
    assert.deepEqual([refused.code, refused.answer], [UNAVAILABLE, undefined]);
    assert.match(refused.details, /certificate does not hold/);
    await stranger.stop();

    await writeFile(path, own);
    agent = await house.start("node-1");
    assert.ok((await call(house.widget)).answer);
  });

  test("files of a component are part of it: one that is written ends the stream at the next rotation", async () => {
    const composite = await tamperedCopy(house.widget, "composite");
    await house.release(composite.digest);
    assertDenied(await call(composite), "file-missing");
    const [prompt, other] = [house.path("prompts/system.md"), house.path("prompts/tools.md")];
    await mkdir(house.path("prompts"));
    await writeFile(prompt, "Be kind.");
    assertDenied(await call(composite), "no-verdict");
    await house.release(sha256("Be kind."));
    const running = stream(composite);
    try {
      const { grounds } = parseX509Svid([leafOf(await running.next()).raw]);
      assert.deepEqual(grounds?.digests, [composite.digest, sha256("Be kind.")]);
      await writeFile(other, "Be cruel.");
      // The second, where the agent looked between the file's making and its writing.
      assertDenied(await running.next(), "(no-verdict|file-changed)");
    } finally {
      await running.stop();
    }
  });

  test("a pod's agent joins by the token that Kubernetes projects, and by the next one when it was used", async () => {
    const path = house.path("k8s-token");
    const join = () => house.start("pod", house.server.url, "--k8s-token-file", path);
    await writeFile(path, await cluster.project());
    const pod = await join();
    assert.match(pod.id, /\/vouchsafe\/agent\/k8s\/production\/worker-1\.example\.internal\/[0-9a-f-]{36}$/);
    assertDenied(await call(house.widget, "pod"), "no-workload-policy");
    await pod.stop();
    await rm(house.path("pod"), { recursive: true });
    await assert.rejects(join(), /An agent has joined by this/);
    await writeFile(path, await cluster.project());
    await (await join()).stop();
  });

  const python = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" });
  test("a Python script gets nothing, though Python itself was released", {
    skip: python.status !== 0 && "python3 is not here",
  }, async () => {
    const bytes = await readFile(python.stdout.trim());
    await house.release(digestOf("sha256", hash("sha256", bytes)));
    const script = house.path("widget.py");
    await writeFile(
      script,
      [
        "import os, socket, subprocess, sys",
        "connection = socket.socket(socket.AF_UNIX)",
        "connection.connect(sys.argv[1])",
        "os.dup2(connection.fileno(), 3)",
        "subprocess.run(sys.argv[2:], pass_fds=[3])",
      ].join("\n"),
    );
    const args = [script, house.path("node-1.sock"), process.execPath, HOLDER, script];
    const asking = startProgram("python3", args);
    try {
      assertDenied(await asking.next(), "interpreter");
    } finally {
      await asking.stop();
    }
  });

  test("a workload policy whose path goes up is refused, by lint and by the server, with a code", async () => {
    for (const path of ["/widget/../vouchsafe/agent/node-1", "/..", "/./widget", "/widget/%2e%2e"]) {
      const text = workload("climber", "node-1").replace("/climber\n", `${path}\n`);
      assert.ok(text.includes(path));
      await writeFile(house.path("climber.yaml"), text);
      const args = ["policy", "lint", "policies/policies.yaml", "climber.yaml"];
      const { status, stderr } = await vouchsafe(args, { cwd: house.path("") });
      assert.equal(status, 1);
      assert.match(stderr, /climber\.yaml:7:13: .*path/i);

      const { documents, policySet } = await house.operator.readPolicies();
      const more = [...documents, { name: "climber.yaml", text }];
      await assert.rejects(house.operator.activatePolicies(more, policySet), { code: "invalid-policy" });
    }
  });
});

function leafOf({ answer, ...line }: Line): X509Certificate {
  assert.ok(answer, JSON.stringify(line));
  return new X509Certificate(Buffer.from(answer.svids[0].x509_svid, "base64"));
}

function serialOf({ serialNumber }: X509Certificate): string {
  return serialNumber.toLowerCase();
}

function assertDenied(line: Line, reason: string): void {
  assert.equal(line.code, PERMISSION_DENIED, JSON.stringify(line));
  assert.match(line.details, new RegExp(`\\(.*${reason}.*\\)$`));
}
