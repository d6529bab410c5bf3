/** The plugin as a process, spoken to as SPIRE's agent does; with SPIRE itself: test/interop/spire.test.ts. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { bareEnvironment } from "../../cli/server.ts";
import { endChild, endWithParent } from "../../support/child.ts";
import { anImage } from "../../support/images.ts";
import { openProgramHouse, type ProgramHouse } from "../../support/program-house.ts";
import { cannotMakeCgroups, makeCgroup } from "../attestors/cgroups.ts";
import { serveJson } from "../attestors/json-server.ts";
import { HOST, MAIN, type PluginHost, startPlugin } from "./plugin-host.ts";

const run = promisify(execFile);
const INVALID_ARGUMENT = 3;
const FAILED_PRECONDITION = 9;
const UNAVAILABLE = 14;
const CONFIGURE = "spire.service.common.config.v1.Config/Configure";
const VALIDATE = "spire.service.common.config.v1.Config/Validate";
const ATTEST = "spire.plugin.agent.workloadattestor.v1.WorkloadAttestor/Attest";
/** A compiled program that does nothing for long. */
const SLEEP = "/bin/sleep";

const settings = (members: Readonly<Record<string, string | readonly string[]>>) => ({
  core_configuration: { trust_domain: "example.org" },
  // As SPIRE prints the block that it read.
  hcl_configuration: `{\n${Object.entries(members)
    .map(([name, value]) => `  ${name} = ${JSON.stringify(value)}\n`)
    .join("")}}`,
});

describe("a host of go-plugin", () => {
  test("finds all that it asks of every plugin, and nothing on stdout but the handshake", async () => {
    const plugin = await startPlugin();
    try {
      assert.match(plugin.stdout(), /^1\|1\|unix\|\/.*\/plugin\.sock\|grpc\n$/);
      const streams = plugin.openStreams();
      const { status } = await plugin.call("grpc.health.v1.Health/Check", { service: "plugin" });
      assert.equal(status, 1);
      assert.deepEqual(await plugin.call("spire.service.private.init.v1.Init/Init"), {
        plugin_service_names: [
          "spire.plugin.agent.workloadattestor.v1.WorkloadAttestor",
          "spire.service.common.config.v1.Config",
        ],
      });
      await assert.rejects(plugin.call(ATTEST, { pid: process.pid }), { code: FAILED_PRECONDITION });
      process.kill(plugin.pid, "SIGINT");
      await plugin.call("spire.service.private.init.v1.Init/Deinit");
      assert.equal(streams.open(), 2);
      assert.equal(await plugin.shutdown(), 0);
      assert.equal(plugin.stdout().split("\n").length, 2);
      assert.ok(!existsSync(dirname(plugin.socket)), "the socket was left behind");
    } finally {
      await plugin.kill();
    }
  });

  test("is refused what it asks for where it is no host, or one of other versions or with AutoMTLS", async () => {
    const wrong = [
      { WorkloadAttestor: "other" },
      { PLUGIN_PROTOCOL_VERSIONS: "2,3" },
      { PLUGIN_CLIENT_CERT: "-----BEGIN CERTIFICATE-----" },
    ];
    const ended = await Promise.all(
      wrong.map((change) =>
        run(process.execPath, [MAIN], { env: { ...bareEnvironment(), ...HOST, ...change } }).then(
          () => assert.fail("it was served"),
          (error) => error,
        ),
      ),
    );
    for (const { code, stdout, stderr } of ended) {
      assert.deepEqual([code, stdout], [1, ""]);
      assert.equal(JSON.parse(stderr)["@level"], "error");
    }
  });
});

describe("attesting", { skip: process.platform !== "linux" && "only Linux attests" }, () => {
  let house: ProgramHouse;
  let plugin: PluginHost;
  const programs: ChildProcess[] = [];
  before(async () => {
    [house, plugin] = await Promise.all([openProgramHouse(), startPlugin()]);
    await plugin.call(CONFIGURE, settings(configuration()));
  });
  after(async () => {
    for (const program of programs) await endChild(program);
    await plugin.shutdown();
    await house.close();
  });

  const configuration = () => ({
    server: house.server,
    token_file: house.tokenFile,
    policies: ["production", "other"],
  });
  function pidOf(program: string): number {
    const child = spawn(program, ["600"], { stdio: "ignore" });
    endWithParent(child);
    programs.push(child);
    return child.pid ?? assert.fail("it did not start");
  }
  async function copy(name: string): Promise<string> {
    await copyFile(SLEEP, house.path(name));
    await appendFile(house.path(name), name);
    return house.path(name);
  }
  const selectors = async (pid: number) => (await plugin.call(ATTEST, { pid })).selector_values;

  test("gives selectors for what a policy lets through, and none once it is in quarantine", async () => {
    const released = await copy("released");
    const digest = await house.release(released);
    const pid = pidOf(released);
    assert.deepEqual(await selectors(pid), ["policy:production", `digest:${digest}`]);

    await house.operator.openQuarantine(digest, "a test");
    // For so long an answer serves those who ask the same.
    await sleep(1_000);
    assert.deepEqual(await selectors(pid), []);
  });

  test("gives none for what nothing is known of, for interpreters and for what is gone", async () => {
    assert.deepEqual(await selectors(pidOf(await copy("unreleased"))), []);

    await house.release(process.execPath);
    assert.deepEqual(await selectors(process.pid), []);
    assert.ok(plugin.logged.some((line) => JSON.parse(line).reasons?.[0]?.code === "interpreter"));

    const ended = pidOf(SLEEP);
    for (const child of programs) if (child.pid === ended) await endChild(child);
    assert.deepEqual(await selectors(ended), []);
    await assert.rejects(selectors(0), { code: INVALID_ARGUMENT });
  });

  test("fails while the server does not answer, or not with a decision, and goes on by itself", async () => {
    const released = await copy("released later");
    const digest = await house.release(released);
    const pid = pidOf(released);
    await plugin.call(CONFIGURE, settings({ ...configuration(), server: "http://127.0.0.1:1" }));
    await assert.rejects(selectors(pid), { code: UNAVAILABLE });
    await plugin.call(CONFIGURE, settings({ ...configuration(), token_file: house.path("builder.pem") }));
    await assert.rejects(selectors(pid), { code: FAILED_PRECONDITION });
    await plugin.call(CONFIGURE, settings({ ...configuration(), policies: ["no such policy"] }));
    assert.deepEqual(await selectors(pid), []);
    await plugin.call(CONFIGURE, settings(configuration()));
    assert.deepEqual(await selectors(pid), ["policy:production", `digest:${digest}`]);
  });

  test("asks about the image of a process in a container, where that is what is to be known", {
    skip: cannotMakeCgroups(),
  }, async (t) => {
    const image = anImage();
    const id = randomBytes(32).toString("hex");
    const [cgroup, pid] = [await makeCgroup(`/docker/${id}`), pidOf(SLEEP)];
    t.after(async () => {
      for (const child of programs) if (child.pid === pid) await endChild(child);
      await cgroup.remove();
    });
    await cgroup.add(pid);
    const daemon = await serveJson(house.path("docker.sock"), (path) => {
      if (path === "/_ping") return { headers: { "api-version": "1.44" }, body: "OK" };
      if (path.includes("/images/"))
        return { body: { Id: image.config, RepoDigests: [`w@${image.digest}`] } };
      const Config = { Image: "widget", Labels: {} };
      return { body: { Id: id, State: { Running: true, Pid: pid }, Image: image.config, Config } };
    });
    t.after(() => daemon.close());
    const imageOnly = { ...configuration(), components: ["image"] };
    await plugin.call(CONFIGURE, settings(imageOnly));
    assert.deepEqual(await selectors(pid), []);

    await house.releaseDigest(image.digest);
    await plugin.call(CONFIGURE, settings({ ...imageOnly, docker_socket: house.path("docker.sock") }));
    assert.deepEqual(await selectors(pid), ["policy:production", `digest:${image.digest}`]);
    const both = { ...imageOnly, components: ["executable", "image"] };
    await plugin.call(CONFIGURE, settings({ ...both, docker_socket: house.path("docker.sock") }));
    assert.deepEqual(await selectors(pid), [], "nobody released its executable");

    await daemon.close();
    await plugin.call(CONFIGURE, settings({ ...imageOnly, docker_socket: house.path("docker.sock") }));
    await assert.rejects(selectors(pid), { code: UNAVAILABLE });
    await plugin.call(CONFIGURE, settings(configuration()));
  });

  test("takes no configuration that it does not understand, and keeps the one that it has", async () => {
    const wrong = [
      { ...configuration(), server: "vouchsafe.example" },
      { ...configuration(), policies: [] },
      { ...configuration(), token_file: "token" },
      { ...configuration(), polices: ["production"] },
      { ...configuration(), components: ["weights"] },
      { ...configuration(), docker_socket: [] },
      { ...configuration(), kubelet_url: "http://kubelet.example:10255" },
    ];
    for (const members of wrong) {
      const { valid, notes } = await plugin.call(VALIDATE, settings(members));
      assert.equal(valid, false);
      assert.equal((notes as string[]).length, 1);
      await assert.rejects(plugin.call(CONFIGURE, settings(members)), { code: INVALID_ARGUMENT });
    }
    assert.equal((await plugin.call(VALIDATE, settings(configuration()))).valid, true);
    assert.deepEqual(await selectors(pidOf(await copy("unreleased too"))), []);
  });
});

test("the plugin is one file, the same each time that it is built, without native modules", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-spire-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const [once, again] = [join(directory, "once.mjs"), join(directory, "again.mjs")];
  for (const file of [once, again]) {
    await run("npm", ["run", "--silent", "build:spire-plugin", "--", `--outfile=${file}`]);
  }
  const text = await readFile(once, "utf8");
  assert.equal(text, await readFile(again, "utf8"));
  assert.ok(text.startsWith("#!/usr/bin/env node\n"));
  assert.doesNotMatch(text, /koffi|\.node"/);

  const plugin = await startPlugin(once);
  assert.match(plugin.stdout(), /\|grpc\n$/);
  assert.equal(await plugin.shutdown(), 0);
});
