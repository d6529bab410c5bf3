/** Which container a process's cgroups name, for the layouts of the usual runtimes, and for those who would pretend. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { containerOf, isSameContainer } from "../../../src/workload/attestors/container-cgroup.ts";
import fc from "../../support/fc.ts";

const A = "a1".repeat(32);
const B = "b2".repeat(32);
const UID = "2c48913c-b29f-11e7-9350-020968147796";
const UID_ = UID.replaceAll("-", "_");
const STATIC = "5e".repeat(16);
const AGENT_UID = "d488cae9-b2a0-11e7-9350-020968147796";
const NONE = undefined;

interface Layout {
  readonly name: string;
  readonly cgroups: readonly string[];
  /** Of the agent. */
  readonly own?: readonly string[];
  readonly id: string | undefined;
  readonly pod?: string;
  readonly path?: string;
}

const v1 = (path: string) => ["name=systemd", "pids", "cpu,cpuacct"].map((name) => `${name}:${path}`);

const LAYOUTS: readonly Layout[] = [
  { name: "docker, cgroupfs, v1", cgroups: [...v1(`/docker/${A}`), "/"], id: A, path: `/docker/${A}` },
  { name: "docker, cgroupfs, v2", cgroups: [`/docker/${A}`], id: A, path: `/docker/${A}` },
  { name: "docker, systemd, v1", cgroups: v1(`/system.slice/docker-${A}.scope`), id: A },
  { name: "docker, systemd, v2", cgroups: [`/system.slice/docker-${A}.scope`], id: A },
  { name: "docker, a path for systemd under cgroupfs", cgroups: v1(`/system.slice:docker:${A}`), id: A },
  { name: "docker, no parent", cgroups: [`/${A}`], id: A },
  {
    name: "docker, systemd within",
    cgroups: [`/system.slice/docker-${A}.scope/system.slice/nginx.service`],
    id: A,
    path: `/system.slice/docker-${A}.scope`,
  },
  { name: "docker, from an agent in a container, v2", cgroups: [`/../${A}`], own: ["/"], id: A },
  {
    name: "docker, from an agent in a container, systemd",
    cgroups: [`/../docker-${A}.scope`],
    own: ["/"],
    id: A,
  },
  { name: "GitHub's runner", cgroups: [`/actions_job/${A}`], id: A },
  { name: "nerdctl, cgroupfs", cgroups: [`/default/${A}`], id: A },
  { name: "nerdctl, systemd", cgroups: [`/system.slice/nerdctl-${A}.scope`], id: A },
  { name: "podman, systemd, v2", cgroups: [`/machine.slice/libpod-${A}.scope/container`], id: A },
  {
    name: "podman, a pod's, systemd",
    cgroups: [`/machine.slice/machine-libpod_pod_${B}.slice/libpod-${A}.scope`],
    id: A,
  },
  { name: "podman, cgroupfs", cgroups: v1(`/libpod_parent/libpod-${A}`), id: A },
  { name: "podman, a pod's, cgroupfs", cgroups: v1(`/libpod_parent/${B}/libpod-${A}`), id: A },
  { name: "podman, the pod itself", cgroups: v1(`/libpod_parent/${B}`), id: NONE },
  ...(["burstable/", "besteffort/", ""] as const).map((qos) => ({
    name: `kubelet, cgroupfs, ${qos}`,
    cgroups: v1(`/kubepods/${qos}pod${UID}/${A}`),
    id: A,
    pod: UID,
  })),
  ...(["-burstable", "-besteffort"] as const).map((qos) => ({
    name: `kubelet, containerd, systemd, ${qos}`,
    cgroups: [
      `/kubepods.slice/kubepods${qos}.slice/kubepods${qos}-pod${UID_}.slice/cri-containerd-${A}.scope`,
    ],
    id: A,
    pod: UID,
  })),
  {
    name: "kubelet, guaranteed, systemd",
    cgroups: [`/kubepods.slice/kubepods-pod${UID_}.slice/cri-containerd-${A}.scope`],
    id: A,
    pod: UID,
  },
  {
    name: "kubelet, CRI-O, and crun's own group",
    cgroups: [
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_}.slice/crio-${A}.scope/container`,
    ],
    id: A,
    pod: UID,
  },
  {
    name: "kubelet, CRI-O, cgroupfs",
    cgroups: v1(`/kubepods/besteffort/pod${UID}/crio-${A}`),
    id: A,
    pod: UID,
  },
  { name: "CRI-O's monitor", cgroups: v1(`/system.slice/crio-conmon-${A}.scope`), id: NONE },
  { name: "Podman's monitor", cgroups: [`/machine.slice/libpod-conmon-${A}.scope`], id: NONE },
  {
    name: "kubelet, dockershim, systemd",
    cgroups: v1(
      `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UID_}.slice/docker-${A}.scope`,
    ),
    id: A,
    pod: UID,
  },
  {
    name: "kubelet for systemd, containerd for cgroupfs",
    cgroups: v1(`/system.slice/containerd.service/kubepods-besteffort-pod${UID_}.slice:cri-containerd:${A}`),
    id: A,
    pod: UID,
  },
  { name: "a static pod", cgroups: v1(`/kubepods/burstable/pod${STATIC}/${A}`), id: A, pod: STATIC },
  {
    name: "kind, from the node, v2",
    cgroups: [
      `/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${UID_}.slice/cri-containerd-${A}.scope`,
    ],
    id: A,
    pod: UID,
  },
  {
    name: "kind, from a pod of the same node, v1: the node's container is both's",
    cgroups: [
      ...v1(`/docker/${B}/kubelet/kubepods/besteffort/pod${UID}/${A}`),
      `/docker/${B}/system.slice/containerd.service`,
    ],
    own: [
      ...v1(`/docker/${B}/kubelet/kubepods/burstable/pod${AGENT_UID}/${"c3".repeat(32)}`),
      `/docker/${B}/system.slice/containerd.service`,
    ],
    id: A,
    pod: UID,
  },
  {
    name: "kind, from the host: the node is the container",
    cgroups: v1(`/docker/${B}/kubelet/kubepods/besteffort/pod${UID}/${A}`),
    own: v1("/system.slice/vouchsafe-agent.service"),
    id: B,
  },
  {
    name: "k3s",
    cgroups: [`/kubepods/burstable/pod${UID}/${A}`],
    own: ["/system.slice/k3s.service"],
    id: A,
    pod: UID,
  },
  {
    name: "from a pod's namespace, the same class",
    cgroups: [`/../../pod${UID}/${A}`],
    own: ["/"],
    id: A,
    pod: UID,
  },
  {
    name: "from a pod's namespace, another class",
    cgroups: [`/../../../burstable/pod${UID}/${A}`],
    own: ["/"],
    id: A,
    pod: UID,
  },
  {
    name: "from a pod's namespace, systemd",
    cgroups: [`/../../kubepods-besteffort-pod${UID_}.slice/cri-containerd-${A}.scope`],
    own: ["/"],
    id: A,
    pod: UID,
  },
  { name: "from a pod's namespace, the same pod", cgroups: [`/../crio-${A}.scope`], own: ["/"], id: A },
  {
    name: "from a pod's namespace, the host's daemon",
    cgroups: ["/../../../../system.slice/sshd.service"],
    id: NONE,
  },
  { name: "ECS, v1", cgroups: v1(`/ecs/${"0f".repeat(16)}/${A}`), id: A },
  { name: "ECS, an older one", cgroups: v1(`/ecs/${UID}/${A}`), id: A },
  {
    name: "ECS, v2",
    cgroups: [`/ecstasks.slice/ecstasks-${"0f".repeat(16)}.slice/docker-${A}.scope`],
    id: A,
  },

  { name: "no cgroup", cgroups: [], id: NONE },
  { name: "the root", cgroups: [...v1("/"), "/"], id: NONE },
  { name: "a service", cgroups: ["/system.slice/nginx.service"], id: NONE },
  { name: "init", cgroups: ["/init.scope"], id: NONE },
  { name: "a session", cgroups: ["/user.slice/user-1000.slice/session-3.scope"], id: NONE },
  { name: "a pod's group, and no container", cgroups: [`/kubepods/burstable/pod${UID}`], id: NONE },
  { name: "an ID that is short", cgroups: [`/docker/${A.slice(1)}`], id: NONE },
  { name: "an ID in capitals", cgroups: [`/docker/${A.toUpperCase()}`], id: NONE },
  {
    name: "an ID with more behind it",
    cgroups: [`/docker/${A}0`, `/system.slice/docker-${A}.scope.d`],
    id: NONE,
  },
  { name: "an unknown runtime", cgroups: [`/system.slice/other-${A}.scope`], id: NONE },
];

/** What a process can name that may make cgroups below the one it was put in. */
const PRETENDERS: readonly Layout[] = [
  {
    name: "a user's rootless container",
    cgroups: [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${B}.scope`],
    id: NONE,
  },
  {
    name: "a user who names a group as docker does",
    cgroups: [`/user.slice/user-1000.slice/user@1000.service/app.slice/docker-${B}.scope`],
    id: NONE,
  },
  {
    name: "a user who makes all of kubelet's",
    cgroups: [`/user.slice/user-1000.slice/user@1000.service/kubepods/burstable/pod${UID}/${B}`],
    id: NONE,
  },
  {
    name: "a service to which its group was delegated",
    cgroups: [`/system.slice/own.service/docker/${B}`],
    id: NONE,
  },
  { name: "a container within a container", cgroups: [`/docker/${A}/docker/${B}`], id: A },
  {
    name: "a container that makes a pod of its own",
    cgroups: [`/kubepods/burstable/pod${UID}/${A}/kubepods/burstable/pod${AGENT_UID}/${B}`],
    id: A,
    pod: UID,
  },
  {
    name: "the same, from the agent's pod",
    cgroups: [`/../../pod${UID}/${A}/../kubepods/pod${AGENT_UID}/${B}`],
    own: ["/"],
    id: A,
    pod: UID,
  },
  {
    name: "a user beside an agent that was started in the user's session",
    cgroups: [`/user.slice/user-1000.slice/user@1000.service/app.slice/docker-${B}.scope`],
    own: ["/user.slice/user-1000.slice/user@1000.service/app.slice/terminal.scope"],
    id: NONE,
  },
];

describe("the container that cgroups name", () => {
  for (const { name, cgroups, own = [], id, pod, path } of [...LAYOUTS, ...PRETENDERS]) {
    test(name, () => {
      const found = containerOf(cgroups, own);
      assert.deepEqual([found?.id, found?.podUid], [id, pod]);
      if (path !== undefined) assert.deepEqual(found?.paths, [path]);
    });
  }

  test("two that differ are refused, and one in two pods", () => {
    const refused = { code: "identity-denied", extensions: { reasons: [{ code: "container-ambiguous" }] } };
    assert.throws(() => containerOf([`pids:/docker/${A}`, `cpu:/docker/${B}`], []), refused);
    const pods = [`pids:/kubepods/pod${UID}/${A}`, `cpu:/kubepods/pod${AGENT_UID}/${A}`];
    assert.throws(() => containerOf(pods, []), refused);
  });

  test("one that bears another's name elsewhere is not the same", () => {
    const at = (path: string) => containerOf([path], []) ?? assert.fail();
    assert.ok(isSameContainer(at(`/docker/${A}`), at(`/docker/${A}/init.scope`)));
    assert.ok(!isSameContainer(at(`/docker/${A}`), at(`/moby/${A}`)));
    assert.ok(!isSameContainer(at(`/docker/${A}`), at(`/docker/${B}`)));
  });

  test("what follows a container's own group changes nothing", () => {
    const name = fc.stringMatching(/^[^/\0\n]{1,80}$/);
    const anything = fc.array(fc.oneof(name, fc.constantFrom("docker", "kubepods", `pod${UID}`, B, "..")));
    fc.assert(
      fc.property(anything, (below) => {
        const path = ["", "docker", A, ...below].join("/");
        assert.deepEqual(containerOf([path], []), containerOf([`/docker/${A}`], []));
      }),
    );
  });
});
