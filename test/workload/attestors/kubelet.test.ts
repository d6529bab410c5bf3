/** The Kubernetes attestor against a kubelet's list of pods over TLS, as it is and as it must not be believed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type KubeletOptions, kubeletAttestor } from "../../../src/workload/attestors/kubelet.ts";
import { parsePodList } from "../../../src/workload/attestors/pod-list.ts";
import { readProcessStatus } from "../../../src/workload/process-status.ts";
import { openssl } from "../../identity/openssl.ts";
import { type JsonServer, type Replier, serveJson } from "./json-server.ts";

const ID = "1b".repeat(32);
const INIT = "2b".repeat(32);
const DEBUG = "3b".repeat(32);
const STATIC = "4b".repeat(32);
const UID = "2c48913c-b29f-11e7-9350-020968147796";
const HASH = "5e".repeat(16);
const IMAGE = `sha256:${"91".repeat(32)}`;
const DEBUG_IMAGE = `sha256:${"92".repeat(32)}`;

const containerStatus = (name: string, id: string, digest: string) => ({
  containerID: `containerd://${id}`,
  image: `registry.example/${name}:1`,
  imageID: `registry.example/${name}@${digest}`,
  lastState: {},
  name,
  ready: true,
  restartCount: 0,
  state: { running: { startedAt: "2025-01-01T00:00:00Z" } },
});
const POD = {
  metadata: {
    name: "widget-5c6b",
    namespace: "shop",
    uid: UID,
    labels: { app: "widget", "pod-template-hash": "5c6b" },
    ownerReferences: [
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: "widget-5c", uid: "rs-uid", controller: true },
    ],
  },
  spec: { nodeName: "node-1", serviceAccountName: "widget", containers: [] },
  status: {
    phase: "Running",
    containerStatuses: [containerStatus("widget", ID, IMAGE)],
    initContainerStatuses: [containerStatus("migrate", INIT, IMAGE)],
    ephemeralContainerStatuses: [containerStatus("debugger", DEBUG, DEBUG_IMAGE)],
  },
};
const STATIC_POD = {
  metadata: {
    name: "etcd-node-1",
    namespace: "kube-system",
    uid: "9a48913c-b29f-11e7-9350-020968147796",
    annotations: { "kubernetes.io/config.hash": HASH },
  },
  spec: { nodeName: "node-1" },
  status: { containerStatuses: [containerStatus("etcd", STATIC, IMAGE)] },
};
const listOf = (...items: unknown[]) => ({ kind: "PodList", apiVersion: "v1", metadata: {}, items });

describe("a list of pods", () => {
  test("gives each container its own image, and its pod's words", () => {
    const containers = parsePodList(listOf(POD, STATIC_POD));
    assert.deepEqual(containers.get(ID), {
      podUids: [UID],
      image: IMAGE,
      selectors: [
        "k8s:container-name:widget",
        "k8s:container-image:registry.example/widget:1",
        `k8s:container-image:registry.example/widget@${IMAGE}`,
        "k8s:ns:shop",
        "k8s:sa:widget",
        "k8s:node-name:node-1",
        "k8s:pod-name:widget-5c6b",
        `k8s:pod-uid:${UID}`,
        "k8s:pod-owner:ReplicaSet:widget-5c",
        "k8s:pod-owner-uid:ReplicaSet:rs-uid",
        "k8s:pod-label:app:widget",
        "k8s:pod-label:pod-template-hash:5c6b",
      ],
    });
    assert.equal(containers.get(INIT)?.image, IMAGE);
    assert.equal(containers.get(DEBUG)?.image, DEBUG_IMAGE);
    assert.ok(containers.get(DEBUG)?.selectors.includes("k8s:container-name:debugger"));
    assert.deepEqual(containers.get(STATIC)?.podUids, [STATIC_POD.metadata.uid, HASH]);
  });

  test("leaves out what cannot be read, and keeps the rest", () => {
    const waiting = { name: "waiting", image: "w", imageID: "", state: { waiting: {} } };
    const odd = { ...POD, status: { containerStatuses: [waiting, 7, containerStatus("widget", ID, IMAGE)] } };
    assert.deepEqual([...parsePodList(listOf(null, { metadata: {} }, odd)).keys()], [ID]);
  });

  test("gives nobody a container that two pods have", () => {
    const other = { ...POD, metadata: { ...POD.metadata, namespace: "other" } };
    assert.equal(parsePodList(listOf(POD, other)).get(ID), undefined);
  });

  for (const hostile of [undefined, null, [], {}, { items: {} }, "pods"]) {
    test(`is not ${JSON.stringify(hostile)}`, () => assert.throws(() => parsePodList(hostile)));
  }
});

describe("what a kubelet says of a process's container", openssl, () => {
  let directory: string;
  let kubelet: JsonServer;
  let reply: Replier;
  let options: KubeletOptions;
  let lists: number;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-kubelet-"));
    const [key, cert] = [join(directory, "key.pem"), join(directory, "ca.crt")];
    const made = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-noenc",
      "-keyout",
      key,
      "-out",
      cert,
    ];
    const about = ["-days", "2", "-subj", "/CN=node-1", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", ["req", "-x509", ...made, ...about], { stdio: "ignore" });
    kubelet = await serveJson({ key: await readFile(key), cert: await readFile(cert) }, (path, request) => {
      lists += 1;
      return reply(path, request);
    });
    options = {
      url: `https://127.0.0.1:${kubelet.port}`,
      tokenFile: join(directory, "token"),
      caFile: cert,
    };
    await writeFile(join(directory, "token"), "first\n");
  });
  after(async () => {
    await kubelet.close();
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    lists = 0;
    reply = () => ({ body: listOf(POD, STATIC_POD) });
  });

  const status = readProcessStatus(process.pid);
  /** The agent reads cgroups of the kernel's, and this test's own words stand for them: a kubelet is not needed to be in one. */
  const asked = async (attestor: ReturnType<typeof kubeletAttestor>, id: string, pod = UID) =>
    attestor.attest({
      pid: process.pid,
      status: { ...(await status), cgroups: [`/kubepods/burstable/pod${pod}/${id}`] },
      executable: "",
    });
  const unavailable = { code: "unavailable" } as const;

  test("one list answers for many; the token is read anew for each", async () => {
    const tokens: unknown[] = [];
    reply = (path, { headers }) => {
      assert.equal(path, "/pods");
      tokens.push(headers.authorization);
      return { body: listOf(POD) };
    };
    const attestor = kubeletAttestor(options);
    const all = await Promise.all(Array.from({ length: 20 }, () => asked(attestor, ID)));
    assert.ok(all.every(({ components }) => components.image?.[0] === IMAGE));
    assert.deepEqual((await asked(attestor, DEBUG)).components, { image: [DEBUG_IMAGE] });
    assert.equal(lists, 1);
    await writeFile(options.tokenFile, "second\n");
    await asked(kubeletAttestor({ ...options, keep: 0 }), ID);
    assert.deepEqual(tokens, ["Bearer first", "Bearer second"]);
  });

  test("a new pod is waited for, until it is listed with its image", async () => {
    const starting = { ...containerStatus("widget", ID, IMAGE), imageID: "" };
    reply = () => {
      if (lists < 3) return { body: listOf(STATIC_POD) };
      if (lists < 4) return { body: listOf({ ...POD, status: { containerStatuses: [starting] } }) };
      return { body: listOf(POD) };
    };
    assert.deepEqual((await asked(kubeletAttestor(options), ID)).components, { image: [IMAGE] });
    assert.equal(lists, 4);
  });

  test("one that stays away is no answer, and one whose image stays unknown has none", async () => {
    reply = () => ({ body: listOf(STATIC_POD) });
    await assert.rejects(asked(kubeletAttestor({ ...options, timeout: 500 }), ID), unavailable);
    reply = () => ({
      body: listOf({
        ...POD,
        status: { containerStatuses: [{ ...containerStatus("widget", ID, IMAGE), imageID: "" }] },
      }),
    });
    const attestation = await asked(kubeletAttestor({ ...options, timeout: 500 }), ID);
    assert.deepEqual([attestation.components, attestation.absent], [{}, { image: "image-unknown" }]);
  });

  test("a container of another pod than the cgroup says is refused; a static pod is named by its hash", async () => {
    const attestor = kubeletAttestor(options);
    const mismatch = { code: "identity-denied", extensions: { reasons: [{ code: "container-mismatch" }] } };
    await assert.rejects(asked(attestor, ID, STATIC_POD.metadata.uid), mismatch);
    assert.deepEqual((await asked(attestor, STATIC, HASH)).components, { image: [IMAGE] });
  });

  test("processes of the host, and containers of no pod, are not asked about", async () => {
    const attestor = kubeletAttestor(options);
    for (const cgroups of [["/"], ["/system.slice/sshd.service"], [`/docker/${ID}`]]) {
      const process_ = { pid: process.pid, status: { ...(await status), cgroups }, executable: "" };
      assert.deepEqual(await attestor.attest(process_), { selectors: [], components: {} });
    }
    assert.equal(lists, 0);
  });

  test("no answer: an error, no list, too late, no token", async () => {
    for (const body of [{ status: 401, body: {} }, { body: "[" }, { body: [] }]) {
      reply = () => body;
      await assert.rejects(asked(kubeletAttestor(options), ID), unavailable);
    }
    reply = () => sleep(60_000, { body: {} }, { ref: false });
    await assert.rejects(asked(kubeletAttestor({ ...options, timeout: 100 }), ID), unavailable);
    await assert.rejects(
      asked(kubeletAttestor({ ...options, tokenFile: join(directory, "none") }), ID),
      unavailable,
    );
  });

  test("a kubelet whose certificate nobody vouches for is given no token, unless that was asked for", async () => {
    const { caFile: _, ...others } = options;
    await writeFile(join(directory, "other.crt"), "");
    await assert.rejects(
      asked(kubeletAttestor({ ...others, caFile: join(directory, "other.crt") }), ID),
      unavailable,
    );
    assert.equal(lists, 0);
    assert.deepEqual((await asked(kubeletAttestor({ ...others, caFile: undefined }), ID)).components.image, [
      IMAGE,
    ]);
  });

  test("a URL that would send the token in the clear, or elsewhere, is refused", () => {
    for (const url of [
      "http://10.0.0.1:10255",
      "ftp://127.0.0.1",
      "https://node/api/v1",
      "127.0.0.1:10250",
    ]) {
      assert.throws(() => kubeletAttestor({ ...options, url }), { code: "configuration-invalid" });
    }
    kubeletAttestor({ ...options, url: "http://127.0.0.1:10255" });
  });
});
