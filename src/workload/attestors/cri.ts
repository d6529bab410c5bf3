import { createClient } from "@connectrpc/connect";
import type { InspectedContainer } from "./container.ts";
import { absent, openGrpcChannel } from "./grpc-channel.ts";
import { imageDigestOf } from "./image-digest.ts";
import { fieldsOf } from "./json-fields.ts";
import { RuntimeService } from "./proto/cri_pb.ts";

export const CRI_SOCKET = "/run/containerd/containerd.sock";
const CONTAINER_RUNNING = 1;
const MAX_BYTES = 4 * 1024 * 1024;

/** The kubelet's labels on each container (kubernetes, pkg/kubelet/types/labels.go), and what SPIRE calls them. */
const LABELS: readonly (readonly [string, string])[] = [
  ["io.kubernetes.pod.namespace", "k8s:ns"],
  ["io.kubernetes.pod.name", "k8s:pod-name"],
  ["io.kubernetes.pod.uid", "k8s:pod-uid"],
  ["io.kubernetes.container.name", "k8s:container-name"],
];
const POD_UID = "io.kubernetes.pod.uid";

/**
 * Asks a runtime that the kubelet uses (containerd, CRI-O) by the Container Runtime Interface, `runtime.v1`. The kubelet
 * labels what it has made, so the pod's name is known without it; labels and service account of the pod are not.
 */
export function openCri(socketPath: string) {
  const channel = openGrpcChannel(socketPath, { maxBytes: MAX_BYTES });
  const runtime = createClient(RuntimeService, channel.transport);

  async function inspect(containerId: string, signal: AbortSignal): Promise<InspectedContainer | undefined> {
    const answer = await runtime.containerStatus({ containerId, verbose: true }, { signal }).catch(absent);
    if (answer === undefined) return undefined;
    const { status, info } = answer;
    if (status === undefined) throw new Error("the runtime's answer has no status");
    const podUid = status.labels[POD_UID];
    return {
      id: status.id,
      initPid: status.state === CONTAINER_RUNNING ? pidIn(info.info) : 0,
      ...(podUid !== undefined && { podUid }),
      selectors: [
        ...LABELS.flatMap(([label, selector]) => {
          const value = status.labels[label];
          return value === undefined ? [] : [`${selector}:${value}`];
        }),
        ...[status.image?.image, status.imageRef].flatMap((image) =>
          image === undefined || image === "" ? [] : [`k8s:container-image:${image}`],
        ),
      ],
      // Of several references the runtime gives one: what it pulled by that has the image of this id.
      image: imageDigestOf([status.imageRef], status.imageId),
    };
  }
  return { inspect, close: channel.close };
}

/** Both containerd and CRI-O tell it there, and nowhere else. */
function pidIn(info: string | undefined): number {
  const { pid } = fieldsOf(JSON.parse(info ?? "{}"), "info");
  if (!Number.isSafeInteger(pid)) throw new Error("the runtime does not name the container's first process");
  return Number(pid);
}
