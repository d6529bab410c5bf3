/** The CRI attestor against another maker's gRPC: what containerd and CRI-O answer, and such as must not be believed. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { containerAttestor } from "../../../src/workload/attestors/container.ts";
import { openCri } from "../../../src/workload/attestors/cri.ts";
import { readProcessStatus } from "../../../src/workload/process-status.ts";
import { startProgram } from "../run-workload.ts";
import { cannotMakeCgroups, makeCgroup } from "./cgroups.ts";
import { type GrpcServer, grpcError, type Method, serveGrpc } from "./grpc-server.ts";

const ID = "1c".repeat(32);
const CONFIG = `sha256:${"c1".repeat(32)}`;
const PULLED = `sha256:${"91".repeat(32)}`;
const UID = "2c48913c-b29f-11e7-9350-020968147796";

const LABELS = {
  "io.kubernetes.pod.namespace": "shop",
  "io.kubernetes.pod.name": "widget-5c6b",
  "io.kubernetes.pod.uid": UID,
  "io.kubernetes.container.name": "widget",
  "app.kubernetes.io/name": "not the pod's label",
};
const STATUS = {
  id: ID,
  state: 1,
  image: { image: "registry.example/widget:1" },
  imageRef: `registry.example/widget@${PULLED}`,
  imageId: CONFIG,
  labels: LABELS,
};
const INFO = { info: JSON.stringify({ sandboxID: "x", pid: process.pid, removing: false }) };

describe("what a runtime says by CRI", () => {
  let directory: string;
  let server: GrpcServer;
  let answer: Method;
  let cri: ReturnType<typeof openCri>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-cri-"));
    const socket = join(directory, "cri.sock");
    server = await serveGrpc(socket, {
      "cri.containerStatus": (request, metadata) => answer(request, metadata),
    });
    cri = openCri(socket);
  });
  after(async () => {
    cri.close();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  afterEach(() => {
    answer = () => ({ status: STATUS, info: INFO });
  });
  const inspect = (timeout = 5_000) => cri.inspect(ID, AbortSignal.timeout(timeout));

  test("containerd: the image as it was pulled, and the pod by the kubelet's labels alone", async () => {
    answer = ({ containerId, verbose }) => {
      assert.deepEqual([containerId, verbose], [ID, true]);
      return { status: STATUS, info: INFO };
    };
    assert.deepEqual(await inspect(), {
      id: ID,
      initPid: process.pid,
      podUid: UID,
      image: PULLED,
      selectors: [
        "k8s:ns:shop",
        "k8s:pod-name:widget-5c6b",
        `k8s:pod-uid:${UID}`,
        "k8s:container-name:widget",
        "k8s:container-image:registry.example/widget:1",
        `k8s:container-image:registry.example/widget@${PULLED}`,
      ],
    });
  });

  for (const [name, imageRef, imageId, expected] of [
    ["loaded by hand", CONFIG, CONFIG, CONFIG],
    ["of an older CRI-O, bare", CONFIG.slice("sha256:".length), "", CONFIG],
    ["of a runtime that names a tag", "registry.example/widget:1", CONFIG, CONFIG],
    ["that nobody names", "", "", undefined],
    ["by a weak digest", `w@md5:${"0".repeat(32)}`, "", undefined],
  ] as const) {
    test(`an image ${name}`, async () => {
      answer = () => ({ status: { ...STATUS, imageRef, imageId }, info: INFO });
      assert.equal((await inspect())?.image, expected);
    });
  }

  test("one that has ended has no first process; one that is not there is nobody's", async () => {
    answer = () => ({ status: { ...STATUS, state: 2 }, info: {} });
    assert.equal((await inspect())?.initPid, 0);
    answer = () => {
      throw grpcError("NOT_FOUND");
    };
    assert.equal(await inspect(), undefined);
  });

  for (const [name, hostile] of [
    ["nothing", () => ({})],
    ["no first process", () => ({ status: STATUS, info: {} })],
    ["info that is no JSON", () => ({ status: STATUS, info: { info: "{" } })],
    ["a pid that is none", () => ({ status: STATUS, info: { info: '{"pid":"1"}' } })],
    [
      "more than can be meant",
      () => ({ status: STATUS, info: { info: INFO.info + " ".repeat(5 * 1024 * 1024) } }),
    ],
    [
      "an error",
      () => {
        throw grpcError("INTERNAL");
      },
    ],
  ] as const) {
    test(`${name} is no answer`, async () => {
      answer = hostile;
      await assert.rejects(inspect());
    });
  }

  test("one that does not come in time is none", async () => {
    answer = () => sleep(60_000, {}, { ref: false });
    await assert.rejects(inspect(100));
  });

  test("a process in a pod's container, by the runtime and the cgroup both", {
    skip: cannotMakeCgroups(),
  }, async () => {
    const cgroup = await makeCgroup(`/kubepods/burstable/pod${UID}/${ID}`);
    const program = startProgram("/bin/sleep", ["60"]);
    try {
      await cgroup.add(program.child.pid);
      const pid = program.child.pid ?? 0;
      const attestor = containerAttestor({ name: "cri", inspect: cri.inspect });
      const asked = async () =>
        attestor.attest({ pid, status: await readProcessStatus(pid), executable: "" });
      const info = { info: JSON.stringify({ pid }) };
      const labels = { ...LABELS, "io.kubernetes.pod.uid": UID.replace("2", "3") };
      answer = () => ({ status: { ...STATUS, labels }, info });
      await assert.rejects(asked(), { extensions: { reasons: [{ code: "container-mismatch" }] } });
      answer = () => ({ status: { ...STATUS, imageRef: "", imageId: "" }, info });
      assert.deepEqual((await asked()).absent, { image: "image-unknown" });
      answer = () => ({ status: STATUS, info });
      const again = containerAttestor({ name: "cri", inspect: cri.inspect });
      const attestation = await again.attest({ pid, status: await readProcessStatus(pid), executable: "" });
      assert.deepEqual(attestation.components, { image: [PULLED] });
    } finally {
      await program.stop();
      await cgroup.remove();
    }
  });
});
