import { isAbsolute } from "node:path";
import { VouchsafeError } from "../../errors.ts";
import { type HclValue, parseHcl } from "./hcl.ts";

/** What `plugin_data` says; docs/spire.md. */
export interface PluginConfiguration {
  /** The Vouchsafe server's URL. */
  readonly server: string;
  /** Holds a bearer token with the role issuer, which may choose its policy. */
  readonly tokenFile: string;
  /** Those that a workload may be attested to pass. */
  readonly policies: readonly string[];
}

const MAX_POLICIES = 16;
const KEYS: readonly string[] = ["server", "token_file", "policies"];

/** @throws VouchsafeError `configuration-invalid` */
export function parseConfiguration(text: string): PluginConfiguration {
  const members = parseHcl(text);
  for (const name of members.keys()) if (!KEYS.includes(name)) throw invalid(`${name} is not known`);

  const server = requireString(members, "server");
  if (!/^https?:$/.test(URL.parse(server)?.protocol ?? "")) {
    throw invalid("server is an http:// or https:// URL");
  }
  const tokenFile = requireString(members, "token_file");
  if (!isAbsolute(tokenFile)) throw invalid("token_file is an absolute path");
  const policies = requireList(members, "policies");
  if (policies.length === 0 || policies.length > MAX_POLICIES) {
    throw invalid(`policies names 1 to ${MAX_POLICIES} policies`);
  }
  if (new Set(policies).size !== policies.length) throw invalid("policies names one twice");
  return { server, tokenFile, policies };
}

function requireString(members: ReadonlyMap<string, HclValue>, name: string): string {
  const value = members.get(name);
  if (typeof value !== "string" || value === "") throw invalid(`${name} is needed, a string`);
  return value;
}

function requireList(members: ReadonlyMap<string, HclValue>, name: string): readonly string[] {
  const value = members.get(name);
  if (!Array.isArray(value)) throw invalid(`${name} is needed, a list of strings`);
  return value;
}

function invalid(what: string): VouchsafeError {
  return new VouchsafeError("configuration-invalid", `The plugin's configuration: ${what}`);
}
