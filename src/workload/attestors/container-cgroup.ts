import { denied } from "../denied.ts";

/** The container whose cgroup a process is in. */
export interface ContainerCgroup {
  /** 64 hex digits. */
  readonly id: string;
  /** Lower case with dashes, or a static pod's 32 hex digits; undefined where the path has none. */
  readonly podUid: string | undefined;
  /** Of the container's own cgroup, in each hierarchy that names it: two processes of one container have the same. */
  readonly paths: readonly string[];
}

const ID = "(?<id>[0-9a-f]{64})";
/** A pod's UID; systemd's names have `_` for `-`. A static pod's is a hash. */
const POD = "(?<pod>[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})";
const POD_SLICE = `(?:kubelet-)?kubepods(?:-burstable|-besteffort)?-pod${POD}\\.slice`;

const BARE_ID = new RegExp(`^${ID}$`);

/** What a runtime calls a container's cgroup. `crio-conmon-` and `libpod-conmon-` are the host's and not among them. */
const CONTAINER: readonly RegExp[] = [
  // systemd: docker-ID.scope; cgroupfs: ID, crio-ID, libpod-ID.
  new RegExp(`^(?:docker|cri-containerd|containerd|crio|libpod|nerdctl)-${ID}(?:\\.scope)?$`),
  BARE_ID,
  // A path made for systemd, under a runtime that manages cgroups itself: system.slice:docker:ID.
  new RegExp(`^(?:system\\.slice|${POD_SLICE}):(?:docker|cri-containerd|crio):${ID}$`),
];

/**
 * Cgroups that root's own managers make and that no workload may make others in. Below anything else (a user's
 * slice, a service, a container) names are whatever somebody wrote with mkdir(1), so the reading ends there.
 */
const PARENT: readonly RegExp[] = [
  /^(?:docker|system\.slice|machine\.slice|libpod_parent|actions_job)$/,
  /^machine-libpod_pod_[0-9a-f]{64}\.slice$/,
  // containerd's usual namespaces, as nerdctl and ctr name cgroups.
  /^(?:default|moby|k8s\.io)$/,
  /^(?:kubelet|kubelet\.slice|podruntime\.slice|kubepods|burstable|besteffort|guaranteed)$/,
  /^(?:kubelet-)?kubepods(?:-burstable|-besteffort)?\.slice$/,
  new RegExp(`^pod${POD}$`),
  new RegExp(`^${POD_SLICE}$`),
  // Amazon ECS: the task is a UUID, or 32 hex digits.
  /^(?:ecs|ecstasks\.slice|ecstasks-[0-9a-f]{32}\.slice)$/,
  /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
  // Where containers are made below the runtime's own unit.
  /^(?:containerd|docker|crio|k3s|k3s-agent|rke2-server|rke2-agent|kubelet)\.service$/,
];
/** Below it, an ID of its own is a pod's, and containers are `libpod-ID`. */
const LIBPOD_PARENT = "libpod_parent";

/**
 * The container that a process is in, as the one looks who asks: the outermost that is not also the asker's own, because
 * whoever is in a container may be allowed to name cgroups below it. Undefined for a process in none.
 *
 * @param cgroups of the process, and `own` of the asker, as `parseCgroups` gives them. In a cgroup namespace, paths
 *   begin with `/..` for each step up from its root.
 *
 * Throws `VouchsafeError` (`identity-denied`, `container-ambiguous`) when two hierarchies name two containers.
 */
export function containerOf(cgroups: readonly string[], own: readonly string[]): ContainerCgroup | undefined {
  const owns = new Map(own.map((cgroup) => [hierarchyOf(cgroup), segmentsOf(cgroup)]));
  const found = cgroups.flatMap((cgroup) => {
    const segments = segmentsOf(cgroup);
    const shared = sharedContainers(segments, owns.get(hierarchyOf(cgroup)) ?? []);
    const container = firstContainer(segments, shared);
    return container === undefined ? [] : [container];
  });
  const [first, ...others] = found;
  if (first === undefined) return undefined;
  if (others.some(({ id, podUid }) => id !== first.id || podUid !== first.podUid)) {
    throw denied("container-ambiguous", "The process's cgroups name more than one container");
  }
  return { id: first.id, podUid: first.podUid, paths: [...new Set(found.map(({ path }) => path))].sort() };
}

/** Whether both are one container's cgroup, and not another that bears its name elsewhere. */
export function isSameContainer(one: ContainerCgroup, other: ContainerCgroup): boolean {
  return one.id === other.id && one.paths.join("\n") === other.paths.join("\n");
}

interface Found {
  readonly id: string;
  readonly podUid: string | undefined;
  readonly path: string;
}

/** @param from how many segments are passed unread */
function firstContainer(segments: readonly string[], from: number): Found | undefined {
  let podUid: string | undefined;
  for (const [index, segment] of segments.entries()) {
    if (index < from || segment === "..") continue;
    const isPod = segments[index - 1] === LIBPOD_PARENT && BARE_ID.test(segment);
    const container = isPod ? undefined : match(CONTAINER, segment);
    if (container?.id !== undefined) {
      const path = `/${segments.slice(0, index + 1).join("/")}`;
      return { id: container.id, podUid: podOf(container) ?? podUid, path };
    }
    const parent = isPod ? {} : match(PARENT, segment);
    if (parent === undefined) return undefined;
    podUid = podOf(parent) ?? podUid;
  }
  return undefined;
}

/** How many segments it takes to be in every container that both are in. */
function sharedContainers(one: readonly string[], other: readonly string[]): number {
  const differs = one.findIndex((segment, index) => segment !== other[index]);
  const shared = one.slice(0, differs === -1 ? one.length : differs);
  return 1 + shared.findLastIndex((segment) => match(CONTAINER, segment) !== undefined);
}

/** The named groups; undefined when none matches. */
function match(patterns: readonly RegExp[], segment: string): Record<string, string> | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(segment);
    if (found !== null) return found.groups ?? {};
  }
  return undefined;
}

function podOf({ pod }: Record<string, string>): string | undefined {
  return pod?.replaceAll("_", "-");
}

/** The controllers of a hierarchy of version 1; empty for the unified one. */
function hierarchyOf(cgroup: string): string {
  return cgroup.slice(0, cgroup.indexOf("/"));
}

function segmentsOf(cgroup: string): string[] {
  return cgroup
    .slice(cgroup.indexOf("/"))
    .split("/")
    .filter((segment) => segment !== "");
}
