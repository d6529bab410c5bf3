import type { Digest } from "../../in-toto-attestation/types.ts";
import { imageDigestOf } from "./image-digest.ts";
import { type Fields, fieldsOf, listOf, textOf, textsOf } from "./json-fields.ts";
import { labelSelectors } from "./labels.ts";

/** One container of a pod, as the kubelet lists it. */
export interface PodContainer {
  /** Each name by which the pod's cgroup may call it: a static pod's is the hash of its manifest. */
  readonly podUids: readonly string[];
  /** In SPIRE's words. */
  readonly selectors: readonly string[];
  /** Undefined while the kubelet does not know it. */
  readonly image: Digest | undefined;
}

const MAX_OWNERS = 4;
const CONFIG_HASH = "kubernetes.io/config.hash";

/** The lists of a PodStatus. An ephemeral (debugging) container has an image of its own, and not the pod's. */
const STATUSES = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const;

/**
 * Each container of a `v1.PodList` by its id, without the scheme of its runtime. Pods and containers that cannot be
 * read are left out, so that one of them does not cost all others their identity; of two with one id none is left.
 *
 * Throws `Error` for what is no list of pods.
 */
export function parsePodList(body: unknown): ReadonlyMap<string, PodContainer> {
  const containers = new Map<string, PodContainer>();
  const ambiguous = new Set<string>();
  const { items } = fieldsOf(body, "the list of pods");
  if (!Array.isArray(items)) throw new Error("the answer is no list of pods");
  for (const [id, container] of items.flatMap((item) => orNone(() => containersOf(fieldsOf(item, "pod"))))) {
    if (containers.has(id)) ambiguous.add(id);
    containers.set(id, container);
  }
  for (const id of ambiguous) containers.delete(id);
  return containers;
}

function containersOf(pod: Fields): (readonly [string, PodContainer])[] {
  const metadata = fieldsOf(pod.metadata, "metadata");
  const spec = fieldsOf(pod.spec, "spec");
  const status = fieldsOf(pod.status, "status");
  const uid = textOf(metadata.uid, "uid");
  const configHash = Object.fromEntries(textsOf(metadata.annotations, "annotations"))[CONFIG_HASH];
  const selectors = [
    `k8s:ns:${textOf(metadata.namespace, "namespace")}`,
    `k8s:sa:${textOf(spec.serviceAccountName ?? "", "serviceAccountName")}`,
    `k8s:node-name:${textOf(spec.nodeName, "nodeName")}`,
    `k8s:pod-name:${textOf(metadata.name, "name")}`,
    `k8s:pod-uid:${uid}`,
    ...listOf(metadata.ownerReferences, "ownerReferences").slice(0, MAX_OWNERS).flatMap(ownerSelectors),
    ...labelSelectors("k8s:pod-label", metadata.labels),
  ];
  const podUids = configHash === undefined ? [uid] : [uid, configHash];
  return STATUSES.flatMap((list) => listOf(status[list], list)).flatMap((entry) =>
    orNone(() => {
      const container = fieldsOf(entry, "container status");
      const id = /^[a-z0-9-]+:\/\/([0-9a-f]{64})$/.exec(textOf(container.containerID, "containerID"))?.[1];
      if (id === undefined) return [];
      const imageId = textOf(container.imageID ?? "", "imageID");
      const own = [
        `k8s:container-name:${textOf(container.name, "name")}`,
        ...[textOf(container.image, "image"), imageId]
          .filter((image) => image !== "")
          .map((image) => `k8s:container-image:${image}`),
      ];
      const image = imageDigestOf([imageId], "");
      return [[id, { podUids, selectors: [...own, ...selectors], image }] as const];
    }),
  );
}

function ownerSelectors(reference: unknown): string[] {
  const owner = fieldsOf(reference, "ownerReference");
  const kind = textOf(owner.kind, "kind");
  return [
    `k8s:pod-owner:${kind}:${textOf(owner.name, "name")}`,
    `k8s:pod-owner-uid:${kind}:${textOf(owner.uid, "uid")}`,
  ];
}

function orNone<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch {
    return [];
  }
}
