import type { Attestor } from "./attestor.ts";
import { containerAttestor } from "./container.ts";
import { openContainerd } from "./containerd.ts";
import { openCri } from "./cri.ts";
import { dockerInspector } from "./docker.ts";
import { type KubeletOptions, kubeletAttestor } from "./kubelet.ts";

/** Which containers are attested, and by whose sockets. Each is off unless it is there: a runtime's socket is root's word. */
export interface AttestorSettings {
  readonly docker?: string;
  readonly cri?: string;
  readonly containerd?: { readonly socket: string; readonly namespace: string };
  readonly kubelet?: Pick<KubeletOptions, "url" | "tokenFile" | "caFile">;
}

/** Throws `VouchsafeError` (`configuration-invalid`). */
export function openAttestors({ docker, cri, containerd, kubelet }: AttestorSettings): readonly Attestor[] {
  const attestors: Attestor[] = [];
  if (docker !== undefined) {
    attestors.push(containerAttestor({ name: "docker", inspect: dockerInspector(docker) }));
  }
  if (cri !== undefined) attestors.push(containerAttestor({ name: "cri", ...openCri(cri) }));
  if (containerd !== undefined) {
    const client = openContainerd(containerd.socket, containerd.namespace);
    attestors.push(containerAttestor({ name: "containerd", ...client }));
  }
  if (kubelet !== undefined) attestors.push(kubeletAttestor(kubelet));
  return attestors;
}
