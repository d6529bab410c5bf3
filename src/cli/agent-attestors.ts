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
export async function attestorsOf(options: AttestorCommandOptions): Promise<readonly Attestor[]> {
  const { openAttestors } = await import("../workload/attestors/open-attestors.ts");
  const { DOCKER_SOCKET } = await import("../workload/attestors/docker.ts");
  const { CRI_SOCKET } = await import("../workload/attestors/cri.ts");
  const { CONTAINERD_SOCKET } = await import("../workload/attestors/containerd.ts");
  const { KUBELET_CA, KUBELET_TOKEN, KUBELET_URL } = await import("../workload/attestors/kubelet.ts");
  const { docker, cri, containerd, containerdNamespace: namespace, kubelet } = options;
  const { kubeletCa = KUBELET_CA, kubeletTokenFile: tokenFile = KUBELET_TOKEN } = options;
  const caFile = options.kubeletSkipVerification === true ? undefined : kubeletCa;
  return openAttestors({
    ...(docker !== undefined && { docker: given(docker, DOCKER_SOCKET) }),
    ...(cri !== undefined && { cri: given(cri, CRI_SOCKET) }),
    ...(containerd !== undefined && {
      containerd: { socket: given(containerd, CONTAINERD_SOCKET), namespace },
    }),
    ...(kubelet !== undefined && { kubelet: { url: given(kubelet, KUBELET_URL), tokenFile, caFile } }),
  });
}

function given(value: string | true, standard: string): string {
  return value === true ? standard : value;
}
