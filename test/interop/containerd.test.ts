/**
 * Real containers of a real containerd, started by its own API and, as a kubelet does, by CRI: go-spiffe in them asks our
 * agent. containerd and runc are this host's or Debian's packages, and the programs are built in Go, so only where VOUCHSAFE_INTEROP=1 asks
 * for it.
 */

import assert from "node:assert/strict";
import { hash, randomBytes, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { digestOf } from "../../src/in-toto-attestation/digest.ts";
import { type Agent, openAgent } from "../../src/workload/agent.ts";
import { containerAttestor } from "../../src/workload/attestors/container.ts";
import { openContainerd } from "../../src/workload/attestors/containerd.ts";
import { openCri } from "../../src/workload/attestors/cri.ts";
import { removeCgroups } from "../workload/attestors/cgroups.ts";
import { type LocalSource, openLocalSource } from "../workload/local-source.ts";
import { CONTAINERD, type RunningContainerd, startContainerd } from "./containerd/containerd.ts";
import { type BuiltImage, buildImage } from "./containerd/image.ts";
import { buildPrograms, pathOf } from "./containerd/packages.ts";
import { serveRegistry } from "./containerd/registry.ts";
import { skipContainers } from "./containerd/skip.ts";

const TIMEOUT = 300_000;
const NAME = "localhost/widget:1";
const PROTO = fileURLToPath(new URL("containerd/cri.proto", import.meta.url));
/** Where the agent's socket is in each container. */
const MOUNT = "/run/vouchsafe";
const NODE = 2;

describe("containers of containerd", { skip: skipContainers(), timeout: TIMEOUT }, () => {
  let directory: string;
  let containerd: RunningContainerd | undefined;
  let image: BuiltImage;
  let source: LocalSource;
  let agent: Agent;

  before(
    async () => {
      directory = await mkdtemp(join(tmpdir(), "vouchsafe-containerd-"));
      const path = await pathOf(CONTAINERD.programs, CONTAINERD.packages, directory);
      if (path === undefined) return;
      await buildPrograms(directory);
      image = await buildImage(directory, NAME, ["pause", "client"], "one");
      containerd = await startContainerd(directory, path, NAME);
      source = await openLocalSource();
      source.approve(digestOf("sha256", hash("sha256", await readFile(join(directory, "client")))));
      await mkdir(join(directory, "agent"));
      agent = await openAgent({
        socketPath: join(directory, "agent/agent.sock"),
        source,
        attestors: [
          containerAttestor({ name: "containerd", ...openContainerd(containerd.socket, "default") }),
          containerAttestor({ name: "cri", ...openCri(containerd.socket) }),
        ],
        log: () => {},
      });
    },
    { timeout: TIMEOUT },
  );
  after(async () => {
    await agent?.close();
    await containerd?.stop();
    await source?.remove();
    await rm(directory, { recursive: true, force: true });
  });

  /** What was attested of who asked last. */
  const attested = () => source.asked.at(-1) ?? assert.fail("nobody asked");
  const [ENV, ENDPOINT] = ["SPIFFE_ENDPOINT_SOCKET", `unix://${MOUNT}/agent.sock`];

  test("by its own API: the index that was pulled, in the container and by exec; nothing once the name means another", async (t) => {
    if (containerd === undefined)
      return t.skip("containerd and runc can be had neither here nor from Debian");
    const { ctr } = containerd;
    const id = randomBytes(32).toString("hex");
    await ctr("image", "import", image.archive);
    const mount = `type=bind,src=${join(directory, "agent")},dst=${MOUNT},options=rbind:rw`;
    await ctr(
      "run",
      "-d",
      "--snapshotter",
      "native",
      "--mount",
      mount,
      "--env",
      `${ENV}=${ENDPOINT}`,
      NAME,
      id,
    );
    t.after(async () => {
      await ctr("task", "kill", "--signal", "SIGKILL", id);
      await ctr("task", "delete", "--force", id).catch(() => {});
      await ctr("container", "delete", id);
      await removeCgroups(`/default/${id}`);
    });
    const ask = () => ctr("task", "exec", "--exec-id", randomUUID(), id, "/client", "ask");
    const { spiffeId } = JSON.parse(await ask());
    assert.match(spiffeId, /^spiffe:\/\/test\.example\/workload\//);
    assert.deepEqual(attested().components.image, [image.index]);
    assert.ok(attested().selectors.includes(`containerd:image:${NAME}`));

    // A pull moves the name; the container stays what it was, and another agent finds it so.
    await buildImage(directory, NAME, ["pause"], "two").then(({ archive }) =>
      ctr("image", "import", archive),
    );
    const anew = openContainerd(containerd.socket, "default");
    const found = await anew.inspect(id, AbortSignal.timeout(10_000));
    assert.deepEqual([found?.id, found?.image], [id, undefined]);
    anew.close();
  });

  test("by CRI, as a kubelet starts pods: the pod's words, and the index that was pulled", async (t) => {
    if (containerd === undefined)
      return t.skip("containerd and runc can be had neither here nor from Debian");
    // The first process of the pod itself is of an image that nobody pulled.
    await containerd.ctr("--namespace", "k8s.io", "image", "import", image.archive);
    const call = criOf(containerd.socket);
    const registry = await serveRegistry(image);
    t.after(() => registry.close());
    const uid = randomUUID();
    const context = { securityContext: { namespaceOptions: { network: NODE } } };
    const labels = {
      "io.kubernetes.pod.namespace": "shop",
      "io.kubernetes.pod.name": "widget-1",
      "io.kubernetes.pod.uid": uid,
      "io.kubernetes.container.name": "widget",
    };
    const sandboxConfig = {
      metadata: { name: "widget-1", uid, namespace: "shop" },
      labels,
      linux: { cgroupParent: `/kubepods/besteffort/pod${uid}`, ...context },
    };
    await call("PullImage", { image: { image: registry.name } });
    const { podSandboxId } = await call("RunPodSandbox", { config: sandboxConfig });
    t.after(async () => {
      await call("StopPodSandbox", { podSandboxId });
      await call("RemovePodSandbox", { podSandboxId });
      await removeCgroups(sandboxConfig.linux.cgroupParent);
    });
    const config = {
      metadata: { name: "widget" },
      image: { image: registry.name },
      envs: [{ key: ENV, value: ENDPOINT }],
      mounts: [{ containerPath: MOUNT, hostPath: join(directory, "agent") }],
      labels,
      linux: context,
    };
    const { containerId } = await call("CreateContainer", { podSandboxId, config, sandboxConfig });
    await call("StartContainer", { containerId });
    const cmd = ["/client", "ask"];
    const { stdout, stderr } = await call("ExecSync", { containerId, cmd, timeout: 30 });
    assert.match(String(stdout), /spiffe:\/\/test\.example\/workload\//, String(stderr));
    assert.deepEqual(attested().components.image, [image.index]);
    for (const selector of [
      "k8s:ns:shop",
      "k8s:pod-name:widget-1",
      `k8s:pod-uid:${uid}`,
      "k8s:container-name:widget",
    ]) {
      assert.ok(attested().selectors.includes(selector), `${selector}: ${attested().selectors}`);
    }
  });
});

type Answer = Readonly<Record<string, unknown>>;

/** Calls a runtime with another maker's gRPC. */
function criOf(socket: string) {
  const { runtime } = loadPackageDefinition(loadSync(PROTO)) as unknown as {
    runtime: { v1: Record<"RuntimeService" | "ImageService", ServiceClientConstructor> };
  };
  const { RuntimeService, ImageService } = runtime.v1;
  const clients = [RuntimeService, ImageService].map(
    (Service) => new Service(`unix:${socket}`, credentials.createInsecure()),
  );
  return (method: string, request: object) =>
    new Promise<Answer>((resolve, reject) => {
      const client = clients.find((client) => client[method] !== undefined);
      client?.[method]?.call(client, request, (error: Error | null, answer: Answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
}
