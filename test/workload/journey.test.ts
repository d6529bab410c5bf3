/** The server, the agent and the workload as processes of their own, killed in turn. The steps follow one another. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "../../src/client/client.ts";
import { type RunningServer, startServer } from "../cli/server.ts";
import { RELEASE_POLICY } from "../http/release.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { collected } from "../support/collected.ts";
import { copyEmptyDatabase } from "../support/empty-database.ts";
import { buildExecutable, type Executable, tamperedCopy } from "./executable.ts";
import { type RunningAgent, startAgent } from "./run-agent.ts";
import { ask, type Line, startWorkload } from "./run-workload.ts";

const PERMISSION_DENIED = 7;

const WORKLOAD_POLICY = `
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["unix:uid:${process.getuid?.()}"]
  spiffeId: /widget/{digest}
  policies: [release]
  audiences: [db]
  requesters:
    agents: ["spiffe://vouchsafe.local/vouchsafe/agent/node-1"]
`;

describe("an agent of a server", { skip: process.platform !== "linux" && "only Linux attests" }, () => {
  let directory: string;
  let sigstore: Sigstore;
  let settings: Record<string, string>;
  let server: RunningServer;
  let agent: RunningAgent;
  let operator: Client;
  let widget: Executable;
  const path = (name: string) => join(directory, name);
  const agentArgs = () => ["--socket", path("agent.sock"), "--data-dir", path("agent")];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-journey-"));
    await chmod(directory, 0o755);
    sigstore = await startSigstore();
    await mkdir(path("policies"));
    await writeFile(path("policies/release.yaml"), RELEASE_POLICY);
    await writeFile(path("policies/widget.yaml"), WORKLOAD_POLICY);
    await writeFile(path("local.json"), JSON.stringify(sigstore.trustedRoot));
    settings = {
      VOUCHSAFE_DATA_DIR: path("server"),
      VOUCHSAFE_POLICIES: path("policies"),
      VOUCHSAFE_TRUSTED_ROOT: path("local.json"),
    };
    await copyEmptyDatabase(path("server"));
    [widget, server] = await Promise.all([buildExecutable(directory), startServer(settings)]);
    settings.PORT = new URL(server.url).port;
    const token = readFileSync(path("server/operator-token"), "utf8").trim();
    operator = createClient({ server: server.url, token });
    const provenance = slsaProvenance([{ name: "widget", bytes: await readFile(widget.path) }]);
    await operator.pushAttestation(await sigstore.signStatement(provenance));
  });
  after(async () => {
    await agent?.stop();
    await server.stop();
    await sigstore.close();
    await rm(directory, { recursive: true, force: true });
  });

  const call = (method: string, executable = widget, request = {}) =>
    ask({ executable: executable.path, socket: path("agent.sock"), method, request });

  test("joins with a token that is good once, and keeps nothing but its own credential", async () => {
    const { token } = await operator.createToken({ name: "node-1", roles: ["agent"] });
    await writeFile(path("join-token"), `${token}\n`);
    agent = await startAgent(server.url, [...agentArgs(), "--join-token-file", path("join-token")]);
    assert.equal(agent.id, "spiffe://vouchsafe.local/vouchsafe/agent/node-1");
    assert.deepEqual(await readdir(path("agent")), ["agent.pem"]);
    assert.equal((await stat(path("agent/agent.pem"))).mode & 0o777, 0o600);
    const again = ["--socket", path("other.sock"), "--data-dir", path("other"), "--join-token-file"];
    await assert.rejects(startAgent(server.url, [...again, path("join-token")]), /used up .* --role agent/);
  });

  test("an agent that could not keep its credential says so, and its token stays good", async () => {
    const { token } = await operator.createToken({ name: "node-2", roles: ["agent"] });
    await writeFile(path("second-token"), `${token}\n`);
    const args = ["--data-dir", path("second-token/below"), "--socket", path("other.sock")];
    await assert.rejects(
      startAgent(server.url, [...args, "--join-token-file", path("second-token")]),
      /configuration-invalid(.|\n)*cannot be kept/,
    );
  });

  test("a second agent on the same socket ends, and does not stay on without serving", async () => {
    const args = ["--socket", path("agent.sock"), "--data-dir", path("second"), "--join-token-file"];
    await assert.rejects(startAgent(server.url, [...args, path("second-token")]), /another agent serves/);
  });

  test("what was released gets its identity, by its digest and in the log; what was not gets none", async () => {
    const { answer } = await call("FetchX509SVID");
    const hex = widget.digest.slice("sha256:".length);
    assert.equal(answer.svids[0].spiffe_id, `spiffe://vouchsafe.local/widget/${hex}`);
    const jwt = await call("FetchJWTSVID", widget, { audience: ["db"] });
    assert.equal(jwt.answer.svids[0].spiffe_id, answer.svids[0].spiffe_id);
    const { identities } = await operator.listIdentities({ digest: widget.digest });
    assert.deepEqual(identities.map(({ kind, requester }) => [kind, requester]).sort(), [
      ["jwt", agent.id],
      ["x509", agent.id],
    ]);

    assert.equal((await call("FetchJWTSVID", widget, { audience: ["queue"] })).code, PERMISSION_DENIED);
    const tampered = await tamperedCopy(widget, "tampered");
    assert.equal((await call("FetchX509SVID", tampered)).code, PERMISSION_DENIED);
  });

  for (const [what, name] of [
    ["control characters", () => "wid\nget\u007f"],
    ["too many characters for a selector", () => deepName(4094 - directory.length)],
  ] as const) {
    test(`a path with ${what} is not told, and neither gives nor takes anything else`, async () => {
      await mkdir(dirname(path(name())), { recursive: true });
      await link(widget.path, path(name()));
      const { answer } = await call("FetchX509SVID", { ...widget, path: path(name()) });
      assert.match(answer.svids[0].spiffe_id, /\/widget\//);
      const granted = await collected(operator.custodyEvents(widget.digest, { types: ["identity.issued"] }));
      const told = granted.at(-1)?.body.selectors as string[];
      assert.ok(told.includes(`unix:${widget.digest}`));
      assert.deepEqual(
        told.filter((selector) => selector.startsWith("unix:path:")),
        [],
      );
      await rm(path(name()));
      await link((await tamperedCopy(widget, "tampered")).path, path(name()));
      const refused = await call("FetchX509SVID", { ...widget, path: path(name()) });
      assert.equal(refused.code, PERMISSION_DENIED, JSON.stringify(refused));
    });
  }

  test("a server that is killed is found again when it is back, and a live stream lives on", async () => {
    const live = startWorkload({
      executable: widget.path,
      socket: path("agent.sock"),
      method: "FetchX509SVID",
    });
    try {
      const held = await live.next();
      await server.kill();
      assert.deepEqual((await call("FetchX509SVID")).answer, held.answer);
      const request = { audience: ["db"], spiffe_id: "spiffe://journey.example/nobody" };
      assert.equal((await call("FetchJWTSVID", widget, request)).code, 14);
      server = await startServer(settings);

      const quarantine = await operator.openQuarantine(widget.digest, "a test");
      const at = performance.now();
      const told = await live.next();
      assert.equal(told.code, PERMISSION_DENIED, JSON.stringify(told));
      assert.match(told.details, /quarantined/);
      // A second, where the machine is not busy. What is asserted is that it was told, and did not have to ask.
      assert.ok(performance.now() - at < 10_000, `${performance.now() - at} ms`);
      assert.equal((await call("FetchX509SVID")).code, PERMISSION_DENIED);
      await operator.liftQuarantine(quarantine.id, "it was a test");
      assert.ok((await untilAnswered(() => call("FetchX509SVID"))).answer);
    } finally {
      await live.stop();
    }
  });

  test("an agent that is killed serves again by itself, without joining anew", async () => {
    await agent.kill();
    agent = await startAgent(server.url, agentArgs());
    assert.ok((await call("FetchX509SVID")).answer);
    await agent.stop();
    await assert.rejects(stat(path("agent.sock")), { code: "ENOENT" });
  });
});

/** A relative path of this length. */
function deepName(length: number): string {
  const parts = [];
  for (let left = length; left > 0; left -= 201) parts.push("d".repeat(Math.min(left, 200)));
  return parts.join("/");
}

async function untilAnswered(call: () => Promise<Line>): Promise<Line> {
  for (let tries = 0; ; tries += 1) {
    const line = await call();
    if (line.code === undefined || tries === 20) return line;
    await sleep(250);
  }
}
