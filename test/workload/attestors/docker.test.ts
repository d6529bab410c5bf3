/** The docker attestor against a daemon's answers on a socket, the usual ones and such as must not be believed. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { containerAttestor } from "../../../src/workload/attestors/container.ts";
import { dockerInspector } from "../../../src/workload/attestors/docker.ts";
import { readProcessStatus } from "../../../src/workload/process-status.ts";
import { startProgram } from "../run-workload.ts";
import { cannotMakeCgroups, makeCgroup, type TestCgroup } from "./cgroups.ts";
import { type JsonServer, type Reply, serveJson } from "./json-server.ts";

const ID = "0d".repeat(32);
const CONFIG = `sha256:${"c0".repeat(32)}`;
const PULLED = `sha256:${"90".repeat(32)}`;
const OTHER = `sha256:${"91".repeat(32)}`;

let directory: string;
let socket: string;
let daemon: JsonServer;
let container: Record<string, unknown>;
let image: Record<string, unknown>;
let apiVersion: string;
let override: ((path: string) => Promise<Reply> | Reply | undefined) | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-docker-"));
  socket = join(directory, "docker.sock");
  apiVersion = "1.47";
  override = undefined;
  container = {
    Id: ID,
    State: { Status: "running", Running: true, Paused: false, Pid: process.pid },
    Image: CONFIG,
    Config: {
      Image: "registry.example/widget:1",
      Env: ["TOKEN=secret"],
      Labels: { tier: "web", "com.example/team": "a:b" },
    },
  };
  image = {
    Id: CONFIG,
    RepoTags: ["registry.example/widget:1"],
    RepoDigests: [`registry.example/widget@${PULLED}`],
  };
  daemon = await serveJson(socket, async (path) => {
    const other = await override?.(path);
    if (other !== undefined) return other;
    if (path === "/_ping") return { headers: { "api-version": apiVersion }, body: "OK" };
    const [, version, kind, id] = /^\/v(1\.\d+)\/(containers|images)\/([^/]+)\/json$/.exec(path) ?? [];
    if (version === undefined || id === undefined) return { status: 400, body: { message: "bad path" } };
    if (kind === "containers" && id === container.Id) return { body: container };
    if (kind === "images" && decodeURIComponent(id) === container.Image) return { body: image };
    return { status: 404, body: { message: "No such container" } };
  });
});
afterEach(async () => {
  await daemon.close();
  await rm(directory, { recursive: true, force: true });
});

const inspect = (timeout = 5_000) => dockerInspector(socket)(ID, AbortSignal.timeout(timeout));

describe("what a Docker daemon says of a container", () => {
  test("its image as it was pulled, its labels, and nothing of its environment", async () => {
    assert.deepEqual(await inspect(), {
      id: ID,
      initPid: process.pid,
      image: PULLED,
      selectors: [
        "docker:image_id:registry.example/widget:1",
        `docker:image_config_digest:${CONFIG}`,
        "docker:label:com.example/team:a:b",
        "docker:label:tier:web",
      ],
    });
  });

  for (const [name, repoDigests, expected] of [
    ["built here", [], CONFIG],
    ["built here, as Go writes it", null, CONFIG],
    ["pulled from two registries by one digest", [`a/w@${PULLED}`, `b/w@${PULLED}`], PULLED],
    ["pulled by two digests", [`a/w@${PULLED}`, `a/w@${OTHER}`], CONFIG],
    ["pulled by something that is no digest", ["a/w@sha256:short"], CONFIG],
    ["pulled by a digest that is too weak", [`a/w@md5:${"0".repeat(32)}`], CONFIG],
  ] as const) {
    test(`an image ${name}`, async () => {
      image.RepoDigests = repoDigests;
      assert.equal((await inspect())?.image, expected);
    });
  }

  test("an image that was removed has its own digest; one whose id is none has no digest", async () => {
    override = (path) => (path.includes("/images/") ? { status: 404, body: {} } : undefined);
    assert.equal((await inspect())?.image, CONFIG);
    container.Image = "widget";
    assert.equal((await inspect())?.image, undefined);
  });

  test("the version of its API, and none that we do not know", async () => {
    await inspect();
    apiVersion = "1.40";
    await inspect();
    assert.deepEqual(
      daemon.asked.filter((path) => path.includes("/containers/")).map((path) => path.split("/")[1]),
      ["v1.44", "v1.40"],
    );
    for (const version of ["", "2.0", "1.9", "1.40/../.."]) {
      apiVersion = version;
      await assert.rejects(inspect(), /which API/);
    }
  });

  test("a container that does not run has no first process; one that is not there is nobody's", async () => {
    container.State = { Running: false, Pid: 0 };
    assert.equal((await inspect())?.initPid, 0);
    container.Id = OTHER.slice("sha256:".length);
    assert.equal(await inspect(), undefined);
  });

  for (const [name, answer] of [
    ["no JSON", { body: "{" }],
    ["a list", { body: [] }],
    ["fields of other types", { body: { Id: ID, State: "running", Config: {}, Image: 7 } }],
    [
      "labels that are none",
      { body: { Id: ID, State: {}, Image: CONFIG, Config: { Image: "w", Labels: { a: 1 } } } },
    ],
    ["an error", { status: 500, body: { message: "no" } }],
    ["a redirect", { status: 302, headers: { location: "http://127.0.0.1/" }, body: {} }],
  ] as const) {
    test(`${name} is no answer`, async () => {
      override = (path) => (path.includes("/containers/") ? answer : undefined);
      await assert.rejects(inspect());
    });
  }

  test("more than can be meant is no answer", async () => {
    override = (path) =>
      path.includes("/containers/")
        ? { body: JSON.stringify(container) + " ".repeat(5 * 1024 * 1024) }
        : undefined;
    await assert.rejects(inspect(), /over/);
  });

  test("an image that is another is no answer, nor is one that does not come in time", async () => {
    image.Id = OTHER;
    await assert.rejects(inspect(), /another image/);
    override = () => sleep(60_000, { body: {} }, { ref: false });
    await assert.rejects(inspect(100));
  });
});

describe("processes in containers", { skip: cannotMakeCgroups() }, () => {
  let own: TestCgroup;
  const made: TestCgroup[] = [];
  const started: ReturnType<typeof startProgram>[] = [];

  /** A process in a cgroup. */
  async function within(cgroup: TestCgroup): Promise<number> {
    const program = startProgram("/bin/sleep", ["60"]);
    started.push(program);
    await cgroup.add(program.child.pid);
    return program.child.pid ?? 0;
  }
  async function cgroup(path: string): Promise<TestCgroup> {
    const cgroup = await makeCgroup(path);
    made.unshift(cgroup);
    return cgroup;
  }
  const runs = (pid: number) => {
    container.State = { Running: true, Pid: pid };
  };
  const attestor = (timeout = 5_000) =>
    containerAttestor({ name: "docker", inspect: dockerInspector(socket), timeout });
  const asked = async (pid: number, by = attestor()) =>
    by.attest({ pid, status: await readProcessStatus(pid), executable: "" });
  const refused = (code: string) => ({ code: "identity-denied", extensions: { reasons: [{ code }] } });

  beforeEach(async () => {
    own = await cgroup(`/docker/${ID}`);
  });
  afterEach(async () => {
    for (const program of started.splice(0)) await program.stop();
    for (const each of made.splice(0)) await each.remove();
  });

  test("the first, one that was started in it later, and one of a group within it", async () => {
    const init = await within(own);
    runs(init);
    const exec = await within(own);
    const below = await within(await cgroup(`/docker/${ID}/worker`));
    const by = attestor();
    for (const pid of [init, exec, below]) {
      assert.deepEqual((await asked(pid, by)).components, { image: [PULLED] });
    }
    const inspections = daemon.asked.filter((path) => path.includes("/containers/"));
    assert.equal(inspections.length, 1, "one container was inspected again and again");
  });

  test("none: a process of the host, and one of another runtime's container", async () => {
    runs(await within(own));
    assert.deepEqual((await asked(process.pid)).components, {});
    assert.deepEqual(daemon.asked, []);
    const other = await within(await cgroup(`/docker/${"0e".repeat(32)}`));
    assert.deepEqual(await asked(other), { selectors: [], components: {} });
  });

  test("another's name elsewhere is refused, by whoever makes such a group", async () => {
    runs(await within(own));
    const impostor = await within(await cgroup(`/actions_job/${ID}`));
    await assert.rejects(asked(impostor), refused("container-mismatch"));
    // The other way round: the daemon's first process is in no such container.
    runs(process.pid);
    await assert.rejects(asked(impostor), refused("container-mismatch"));
  });

  test("a container that was started again is asked about again", async () => {
    const by = attestor();
    runs(await within(own));
    const staying = await within(own);
    assert.deepEqual((await asked(staying, by)).components, { image: [PULLED] });
    await started[0]?.stop();
    container.Image = OTHER;
    image = { Id: OTHER, RepoDigests: [] };
    runs(await within(own));
    assert.deepEqual((await asked(staying, by)).components, { image: [OTHER] });
  });

  test("no answer now: not yet running, away, slow, another's", async () => {
    const pid = await within(own);
    const unavailable = { code: "unavailable" } as const;
    runs(0);
    await assert.rejects(asked(pid), unavailable);
    runs(2 ** 22 + 1);
    await assert.rejects(asked(pid), unavailable);
    runs(pid);
    override = (path) =>
      path.includes("/containers/") ? { body: { ...container, Id: "0e".repeat(32) } } : undefined;
    await assert.rejects(asked(pid), unavailable);
    override = () => sleep(60_000, { body: {} }, { ref: false });
    await assert.rejects(asked(pid, attestor(100)), unavailable);
    override = undefined;
    assert.deepEqual((await asked(pid)).components, { image: [PULLED] });
    await daemon.close();
    await assert.rejects(asked(pid), unavailable);
    daemon = await serveJson(socket, () => ({ body: {} }));
  });
});
