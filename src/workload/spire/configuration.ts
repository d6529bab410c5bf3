import { isAbsolute } from "node:path";
import { VouchsafeError } from "../../errors.ts";
import { isHttpUrl } from "../../http-url.ts";
import { KUBELET_CA, KUBELET_TOKEN } from "../attestors/kubelet.ts";
import type { AttestorSettings } from "../attestors/open-attestors.ts";
import { type HclValue, parseHcl } from "./hcl.ts";

/** What `plugin_data` says; docs/spire.md. */
export interface PluginConfiguration {
  /** The Vouchsafe server's URL. */
  readonly server: string;
  /** Holds a bearer token with the role issuer, which may choose its policy. */
  readonly tokenFile: string;
  /** Those that a workload may be attested to pass. */
  readonly policies: readonly string[];
  /** What of a process must be known, and is asked about. */
  readonly components: readonly Component[];
  readonly attestors: AttestorSettings;
}

type Component = (typeof COMPONENTS)[number];

type Members = ReadonlyMap<string, HclValue>;

const MAX_POLICIES = 16;
const COMPONENTS = ["executable", "image"] as const;
/** Further members, each of which switches an attestor on or tells it something. */
const ATTESTOR_KEYS = [
  "docker_socket",
  "cri_socket",
  "containerd_socket",
  "containerd_namespace",
  "kubelet_url",
  "kubelet_ca_file",
  "kubelet_token_file",
] as const;
const KEYS: readonly string[] = ["server", "token_file", "policies", "components", ...ATTESTOR_KEYS];

/** @throws VouchsafeError `configuration-invalid` */
export function parseConfiguration(text: string): PluginConfiguration {
  const members = parseHcl(text);
  for (const name of members.keys()) if (!KEYS.includes(name)) throw invalid(`${name} is not known`);

  const server = requireString(members, "server");
  if (!isHttpUrl(server)) {
    throw invalid("server is an http:// or https:// URL");
  }
  const tokenFile = requireString(members, "token_file");
  if (!isAbsolute(tokenFile)) throw invalid("token_file is an absolute path");
  const policies = requireList(members, "policies");
  if (policies.length === 0 || policies.length > MAX_POLICIES) {
    throw invalid(`policies names 1 to ${MAX_POLICIES} policies`);
  }
  if (new Set(policies).size !== policies.length) throw invalid("policies names one twice");
  return { server, tokenFile, policies, components: componentsIn(members), attestors: attestorsIn(members) };
}

function componentsIn(members: Members): readonly Component[] {
  if (!members.has("components")) return ["executable"];
  const named = requireList(members, "components");
  const known = COMPONENTS.filter((component) => named.includes(component));
  if (known.length === 0 || known.length !== named.length) {
    throw invalid(`components names some of ${COMPONENTS.join(", ")}, each once`);
  }
  return known;
}

function attestorsIn(members: Members): AttestorSettings {
  const text = (name: (typeof ATTESTOR_KEYS)[number]) =>
    members.has(name) ? requireString(members, name) : undefined;
  const [docker, cri, containerd] = [text("docker_socket"), text("cri_socket"), text("containerd_socket")];
  const [kubelet, namespace = "default"] = [text("kubelet_url"), text("containerd_namespace")];
  const [caFile = KUBELET_CA, tokenFile = KUBELET_TOKEN] = [
    text("kubelet_ca_file"),
    text("kubelet_token_file"),
  ];
  return {
    ...(docker !== undefined && { docker }),
    ...(cri !== undefined && { cri }),
    ...(containerd !== undefined && { containerd: { socket: containerd, namespace } }),
    ...(kubelet !== undefined && { kubelet: { url: kubelet, caFile, tokenFile } }),
  };
}

function requireString(members: Members, name: string): string {
  const value = members.get(name);
  if (typeof value !== "string" || value === "") throw invalid(`${name} is needed, a string`);
  return value;
}

function requireList(members: Members, name: string): readonly string[] {
  const value = members.get(name);
  if (!Array.isArray(value)) throw invalid(`${name} is needed, a list of strings`);
  return value;
}

function invalid(what: string): VouchsafeError {
  return new VouchsafeError("configuration-invalid", `The plugin's configuration: ${what}`);
}
