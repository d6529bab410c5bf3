import { createClient } from "@connectrpc/connect";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { InspectedContainer } from "./container.ts";
import { imageOfLayers } from "./containerd-image.ts";
import { absent, openGrpcChannel } from "./grpc-channel.ts";
import { labelSelectors } from "./labels.ts";
import { type Container, Containers } from "./proto/containers_pb.ts";
import { Content } from "./proto/content_pb.ts";
import { Images } from "./proto/images_pb.ts";
import { Snapshots } from "./proto/snapshots_pb.ts";
import { Tasks } from "./proto/tasks_pb.ts";

export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";
/** Of manifests and configs. */
const MAX_BYTES = 4 * 1024 * 1024;
/** RUNNING, PAUSED and PAUSING of `containerd.v1.types.Status`. */
const HAS_PROCESS: ReadonlySet<number> = new Set([2, 4, 5]);

/**
 * Asks containerd by its own API about the containers of one namespace, as nerdctl and ctr make them.
 *
 * containerd knows a container's image by a name, which a later pull may have given to another image. So the image counts
 * only when it is made of the layers that the container's root file system was made from.
 */
export function openContainerd(socketPath: string, namespace: string) {
  const metadata = { "containerd-namespace": namespace };
  const { transport, close } = openGrpcChannel(socketPath, { maxBytes: MAX_BYTES, metadata });
  const containers = createClient(Containers, transport);
  const content = createClient(Content, transport);
  const images = createClient(Images, transport);
  const snapshots = createClient(Snapshots, transport);
  const tasks = createClient(Tasks, transport);

  /** The bytes of that digest, checked by whoever asked for them; undefined where the store has none. */
  async function read(digest: Digest, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const { data } of content.read({ digest }, { signal })) {
        length += data.length;
        if (length > MAX_BYTES) throw new Error(`${digest} is over ${MAX_BYTES} bytes`);
        pieces.push(data);
      }
    } catch (error) {
      return absent(error);
    }
    return Buffer.concat(pieces);
  }

  async function imageOf(container: Container, signal: AbortSignal): Promise<Digest | undefined> {
    const { image: name, snapshotter, snapshotKey: key } = container;
    const [named, snapshot] = await Promise.all([
      images.get({ name }, { signal }).catch(absent),
      snapshots.stat({ snapshotter, key }, { signal }).catch(absent),
    ]);
    const target = named?.image?.target?.digest;
    const layers = snapshot?.info?.parent;
    if (target === undefined || layers === undefined) return undefined;
    return imageOfLayers(target, layers, (digest) => read(digest, signal));
  }

  async function inspect(id: string, signal: AbortSignal): Promise<InspectedContainer | undefined> {
    const [found, task] = await Promise.all([
      containers.get({ id }, { signal }).catch(absent),
      tasks.get({ containerId: id }, { signal }).catch(absent),
    ]);
    const container = found?.container;
    if (container === undefined) return undefined;
    const { pid = 0, status = 0 } = task?.process ?? {};
    return {
      id: container.id,
      initPid: HAS_PROCESS.has(status) ? pid : 0,
      selectors: [
        `containerd:namespace:${namespace}`,
        `containerd:image:${container.image}`,
        ...labelSelectors("containerd:label", container.labels),
      ],
      image: await imageOf(container, signal),
    };
  }
  return { inspect, close };
}
