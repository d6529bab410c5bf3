import type { Command } from "commander";
import type { Attestor } from "../workload/attestors/attestor.ts";

/** What the options say of containers; `true` where one is given without a value. */
export interface AttestorCommandOptions {
  readonly docker?: string | true;
  readonly cri?: string | true;
  readonly containerd?: string | true;
  readonly containerdNamespace: string;
  readonly kubelet?: string | true;
  readonly kubeletCa?: string;
  readonly kubeletTokenFile?: string;
  readonly kubeletSkipVerification?: boolean;
}

/** Each is off unless it is asked for: a runtime's socket is root's word. */
export function addAttestorOptions(command: Command): Command {
  return command
    .option("--docker [socket]", "attest containers by Docker, or by Podman's socket")
    .option("--cri [socket]", "attest pods' containers by the kubelet's runtime: containerd, CRI-O")
    .option("--containerd [socket]", "attest containers by containerd itself, as nerdctl makes them")
    .option("--containerd-namespace <name>", "whose containers", "default")
    .option("--kubelet [url]", "attest pods by the node's kubelet")
    .option("--kubelet-ca <file>", "who may sign the kubelet's certificate")
    .option("--kubelet-token-file <file>", "whose token the kubelet is asked with")
    .option("--kubelet-skip-verification", "believe whoever answers in the kubelet's place");
}

/** Loaded here alone, with the agent. Throws `VouchsafeError` (`configuration-invalid`). */
export async function openAttestors(options: AttestorCommandOptions): Promise<readonly Attestor[]> {
  const { containerAttestor } = await import("../workload/attestors/container.ts");
  const { DOCKER_SOCKET, dockerInspector } = await import("../workload/attestors/docker.ts");
  const { CRI_SOCKET, openCri } = await import("../workload/attestors/cri.ts");
  const { CONTAINERD_SOCKET, openContainerd } = await import("../workload/attestors/containerd.ts");
  const kubelet = await import("../workload/attestors/kubelet.ts");
  const attestors: Attestor[] = [];
  if (options.docker !== undefined) {
    const inspect = dockerInspector(given(options.docker, DOCKER_SOCKET));
    attestors.push(containerAttestor({ name: "docker", inspect }));
  }
  if (options.cri !== undefined) {
    attestors.push(containerAttestor({ name: "cri", ...openCri(given(options.cri, CRI_SOCKET)) }));
  }
  if (options.containerd !== undefined) {
    const socket = given(options.containerd, CONTAINERD_SOCKET);
    const client = openContainerd(socket, options.containerdNamespace);
    attestors.push(containerAttestor({ name: "containerd", ...client }));
  }
  if (options.kubelet !== undefined) {
    const { kubeletCa = kubelet.KUBELET_CA, kubeletTokenFile: tokenFile = kubelet.KUBELET_TOKEN } = options;
    const caFile = options.kubeletSkipVerification === true ? undefined : kubeletCa;
    attestors.push(
      kubelet.kubeletAttestor({ url: given(options.kubelet, kubelet.KUBELET_URL), tokenFile, caFile }),
    );
  }
  return attestors;
}

function given(value: string | true, standard: string): string {
  return value === true ? standard : value;
}
