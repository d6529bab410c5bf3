/** The containerd attestor against another maker's gRPC: whether the image that a name means is the container's. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openContainerd } from "../../../src/workload/attestors/containerd.ts";
import { type GrpcServer, grpcError, type Method, serveGrpc } from "./grpc-server.ts";

const ID = "1d".repeat(32);
const NAME = "registry.example/widget:1";
const OCI = "application/vnd.oci.image";
const MiB = 1024 * 1024;
const sha256 = (bytes: string) => `sha256:${hash("sha256", bytes)}`;

const store = new Map<string, string>();
/** Puts a document into the content store. */
function put(document: object): string {
  const text = JSON.stringify(document);
  store.set(sha256(text), text);
  return sha256(text);
}
const descriptor = (digest: string, kind = "manifest") => ({
  mediaType: `${OCI}.${kind}.v1+json`,
  digest,
  size: store.get(digest)?.length ?? 1,
});
const LAYERS = ["one", "two", "three"].map(sha256);
const CHAIN = LAYERS.slice(1).reduce((chain, layer) => sha256(`${chain} ${layer}`), LAYERS[0] ?? "");
const config = (layers: readonly string[]) =>
  put({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: layers } });
const manifest = (layers: readonly string[]) =>
  put({ schemaVersion: 2, config: descriptor(config(layers), "config"), layers: [] });
const index = (...manifests: string[]) =>
  put({ schemaVersion: 2, manifests: manifests.map((digest) => descriptor(digest)) });

const MANIFEST = manifest(LAYERS);
const OTHER = manifest(LAYERS.slice(1));
const ELSEWHERE = sha256("a manifest of another platform, which this node never pulled");

describe("what containerd says of a container", () => {
  let directory: string;
  let server: GrpcServer;
  let containerd: ReturnType<typeof openContainerd>;
  let target: string;
  let task: object;
  let override: Record<string, Method>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-containerd-"));
    const socket = join(directory, "containerd.sock");
    const answers: Record<string, Method> = {
      "containers.get": ({ id }) => {
        if (id !== ID) throw grpcError("NOT_FOUND");
        const labels = { "nerdctl/name": "widget", team: "a" };
        return { container: { id, image: NAME, labels, snapshotter: "overlayfs", snapshotKey: ID } };
      },
      "tasks.get": () => ({ process: task }),
      "images.get": ({ name }) => ({ image: { name, target: { digest: target } } }),
      "snapshots.stat": ({ snapshotter, key }) => {
        assert.deepEqual([snapshotter, key], ["overlayfs", ID]);
        return { info: { name: key, parent: CHAIN } };
      },
      "content.read": ({ digest }) => {
        const text = store.get(String(digest));
        if (text === undefined) throw grpcError("NOT_FOUND");
        return [text.slice(0, 7), text.slice(7)].map((piece) => ({ data: Buffer.from(piece) }));
      },
    };
    const asked = (name: string): [string, Method] => [
      name,
      (request, metadata) => {
        assert.equal(metadata["containerd-namespace"], "default");
        return (override[name] ?? answers[name])?.(request, metadata);
      },
    ];
    server = await serveGrpc(socket, Object.fromEntries(Object.keys(answers).map(asked)));
    containerd = openContainerd(socket, "default");
  });
  after(async () => {
    containerd.close();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    target = MANIFEST;
    task = { containerId: ID, pid: process.pid, status: 2 };
    override = {};
  });
  const inspect = (timeout = 5_000) => containerd.inspect(ID, AbortSignal.timeout(timeout));

  test("its image, name and labels", async () => {
    assert.deepEqual(await inspect(), {
      id: ID,
      initPid: process.pid,
      image: MANIFEST,
      selectors: [
        "containerd:namespace:default",
        `containerd:image:${NAME}`,
        "containerd:label:nerdctl/name:widget",
        "containerd:label:team:a",
      ],
    });
  });

  for (const [name, digest, expected] of [
    ["an index with its manifest", index(ELSEWHERE, MANIFEST), true],
    ["an index with two of which one is it", index(OTHER, MANIFEST), true],
    ["a manifest that took the name since", OTHER, false],
    ["an index that took the name since", index(OTHER, ELSEWHERE), false],
    ["an index of which the node has nothing", index(ELSEWHERE), false],
    ["an index in an index", index(index(MANIFEST)), false],
    ["what the store does not have", ELSEWHERE, false],
    ["no digest", "latest", false],
    ["an image without layers", manifest([]), false],
  ] as const) {
    test(`a name that means ${name}`, async () => {
      target = digest;
      assert.equal((await inspect())?.image, expected ? digest : undefined);
    });
  }

  test("a container without a snapshot of layers, or whose image is gone, has no digest", async () => {
    const nothing = () => {
      throw grpcError("NOT_FOUND");
    };
    for (const override_ of [
      { "snapshots.stat": () => ({ info: { parent: "" } }) },
      { "snapshots.stat": nothing },
      { "images.get": nothing },
    ]) {
      override = override_;
      assert.equal((await inspect())?.image, undefined);
    }
    target = manifest([]);
    override = { "snapshots.stat": () => ({ info: { parent: "" } }) };
    assert.equal((await inspect())?.image, undefined, "two without layers are not the same");
  });

  test("one that does not run has no first process, and one that is not there is nobody's", async () => {
    task = { containerId: ID, pid: 7, status: 3 };
    assert.equal((await inspect())?.initPid, 0);
    task = { containerId: ID, pid: 7, status: 4 };
    assert.equal((await inspect())?.initPid, 7);
    assert.equal(await containerd.inspect("00".repeat(32), AbortSignal.timeout(5_000)), undefined);
  });

  test("other bytes than the digest's are no answer, though they are of an image with these layers", async () => {
    const text = store.get(MANIFEST) ?? "";
    target = ELSEWHERE;
    override = { "content.read": () => [{ data: Buffer.from(text) }] };
    await assert.rejects(inspect(), /something else/);
  });

  test("more bytes than can be meant are no answer", async () => {
    const text = JSON.stringify({ config: descriptor(config(LAYERS), "config"), more: "x".repeat(5 * MiB) });
    target = sha256(text);
    const pieces = Array.from({ length: 6 }, (_, i) => text.slice(i * MiB, (i + 1) * MiB));
    override = { "content.read": () => pieces.map((piece) => ({ data: Buffer.from(piece) })) };
    await assert.rejects(inspect(), /bytes/);
  });

  test("one that does not come in time is none", async () => {
    override = { "images.get": () => sleep(60_000, {}, { ref: false }) };
    await assert.rejects(inspect(100));
  });
});
