/**
 * Real containers of a real Docker daemon: go-spiffe in them asks our agent. The daemon is this host's program or Debian's package, so
 * only where VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { digestOf } from "../../src/in-toto-attestation/digest.ts";
import { type Agent, openAgent } from "../../src/workload/agent.ts";
import { containerAttestor } from "../../src/workload/attestors/container.ts";
import { dockerInspector } from "../../src/workload/attestors/docker.ts";
import { endChild, endWithParent } from "../support/child.ts";
import { until } from "../workload/agent-house.ts";
import { removeCgroups } from "../workload/attestors/cgroups.ts";
import { type LocalSource, openLocalSource } from "../workload/local-source.ts";
import { CONTAINERD } from "./containerd/containerd.ts";
import { type BuiltImage, buildImage } from "./containerd/image.ts";
import { buildPrograms, pathOf } from "./containerd/packages.ts";
import { serveRegistry } from "./containerd/registry.ts";
import { skipContainers } from "./containerd/skip.ts";

const TIMEOUT = 300_000;
const MOUNT = "/run/vouchsafe";

describe("containers of Docker", { skip: skipContainers(), timeout: TIMEOUT }, () => {
  let directory: string;
  let daemon: ChildProcess | undefined;
  let why = "dockerd can be had neither here nor from Debian";
  let socket: string;
  let image: BuiltImage;
  let source: LocalSource | undefined;
  let agent: Agent | undefined;

  before(
    async () => {
      directory = await mkdtemp(join(tmpdir(), "vouchsafe-docker-"));
      socket = join(directory, "docker.sock");
      const programs = ["dockerd", ...CONTAINERD.programs];
      const path = await pathOf(programs, ["docker.io", ...CONTAINERD.packages], directory);
      if (path === undefined) return;
      daemon = await startDocker(directory, path);
      why = "dockerd does not start here";
      if (daemon === undefined) return;
      await buildPrograms(directory);
      image = await buildImage(directory, "localhost/widget:1", ["pause", "client"], "one");
      source = await openLocalSource();
      source.approve(digestOf("sha256", hash("sha256", await readFile(join(directory, "client")))));
      await mkdir(join(directory, "agent"));
      agent = await openAgent({
        socketPath: join(directory, "agent/agent.sock"),
        source,
        attestors: [containerAttestor({ name: "docker", inspect: dockerInspector(socket) })],
        log: () => {},
      });
    },
    { timeout: TIMEOUT },
  );
  after(async () => {
    await agent?.close();
    if (daemon !== undefined) await endChild(daemon);
    await source?.remove();
    // The network namespace of the host's own containers, which the daemon leaves mounted.
    spawnSync("umount", [join(directory, "exec/netns/default")]);
    await rm(directory, { recursive: true, force: true });
  });

  /** The Engine's API; fails on anything but success. */
  function call(method: string, path: string, body?: object): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { host: "docker", "content-type": "application/json" };
      const asked = request({ socketPath: socket, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece) => {
          text += piece;
        });
        response.once("end", () => {
          if ((response.statusCode ?? 500) < 300) resolve(text);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      asked.once("error", reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Runs the client in a new container of the image by exec, and gives what was attested of it. */
  async function attestedIn(t: { after(end: () => Promise<void>): void }, name: string) {
    const container = {
      Image: name,
      Env: [`SPIFFE_ENDPOINT_SOCKET=unix://${MOUNT}/agent.sock`],
      Labels: { app: "widget" },
      HostConfig: { NetworkMode: "host", Binds: [`${join(directory, "agent")}:${MOUNT}`] },
    };
    const { Id: id } = JSON.parse(await call("POST", "/containers/create", container));
    t.after(async () => {
      await call("DELETE", `/containers/${id}?force=true`);
      await removeCgroups(`/docker/${id}`);
    });
    await call("POST", `/containers/${id}/start`);
    const asked = source?.asked.length ?? 0;
    const exec = JSON.parse(await call("POST", `/containers/${id}/exec`, { Cmd: ["/client", "ask"] }));
    await call("POST", `/exec/${exec.Id}/start`, { Detach: true });
    await until(() => (source?.asked.length ?? 0) > asked);
    return source?.asked.at(-1) ?? assert.fail("nobody asked");
  }

  test("of one that was pulled, the index; of one that was made here, the image itself", async (t) => {
    if (agent === undefined) return t.skip(why);
    const registry = await serveRegistry(image);
    t.after(async () => registry.close());
    const [name, tag] = [registry.name.replace(/:1$/, ""), "1"];
    await call("POST", `/images/create?fromImage=${encodeURIComponent(name)}&tag=${tag}`);
    const pulled = await attestedIn(t, registry.name);
    assert.deepEqual(pulled.components.image, [image.index]);
    assert.ok(pulled.selectors.includes("docker:label:app:widget"));
    assert.ok(pulled.selectors.includes(`docker:image_id:${registry.name}`));
    assert.ok(pulled.selectors.includes(`docker:image_config_digest:${image.config}`));

    const { Id: base } = JSON.parse(
      await call("POST", "/containers/create", { Image: registry.name, Labels: { made: "here" } }),
    );
    await call("POST", `/commit?container=${base}&repo=widget&tag=2`);
    await call("DELETE", `/containers/${base}`);
    const { Id: committed } = JSON.parse(await call("GET", "/images/widget:2/json"));
    assert.deepEqual((await attestedIn(t, "widget:2")).components.image, [committed]);
  });
});

/** One of its own, without networks; undefined where it does not come to run. */
async function startDocker(directory: string, path: string): Promise<ChildProcess | undefined> {
  const at = (name: string) => join(directory, name);
  const args = [
    "--iptables=false",
    "--bridge=none",
    "--storage-driver=vfs",
    "--host",
    `unix://${at("docker.sock")}`,
  ];
  const own = ["--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("docker.pid")];
  const child = spawn("dockerd", [...args, ...own], {
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "ignore", "pipe"],
  });
  endWithParent(child);
  let journal = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    journal += text;
  });
  await until(() => journal.includes("API listen on") || child.exitCode !== null);
  return child.exitCode === null ? child : undefined;
}
