import { VouchsafeError } from "../errors.ts";
import { DEFAULT_PROJECT, type ProjectName, pathOfProject } from "./project-name.ts";
import { pathOf, type SpiffeId, spiffeId, type TrustDomain } from "./spiffe-id.ts";

const AGENT_PATH = "/vouchsafe/agent/";
const SERVER_PATH = "/vouchsafe/server";
/** The path that the IDs of a project's own parts begin with, and the rest: none has a project's path in `default`. */
const OWN_PATH = /^(?:\/project\/[a-z0-9-]+)?(\/vouchsafe(?:\/.*)?)$/;

/**
 * The ID of the node agent of this name, which is one segment of a path.
 *
 * Throws `VouchsafeError` (`invalid-spiffe-id`) for a name that is none.
 */
export function agentId(trustDomain: TrustDomain, name: string, project = DEFAULT_PROJECT): SpiffeId {
  if (name.includes("/")) throw new VouchsafeError("invalid-spiffe-id", "an agent's name has no slash");
  return spiffeId(trustDomain, pathOfProject(project) + AGENT_PATH + name);
}

/**
 * The ID of an agent that joined by a rule: its name has several segments, which no join token's has, so that a pattern
 * for the one kind does not take the other.
 */
export function enrolledAgentId(
  trustDomain: TrustDomain,
  name: readonly [string, string, ...string[]],
  project: ProjectName = DEFAULT_PROJECT,
): SpiffeId {
  return spiffeId(trustDomain, pathOfProject(project) + AGENT_PATH + name.join("/"));
}

/** The name of the agent that has this ID; undefined when it is no agent's. */
export function agentNameOf(id: SpiffeId): string | undefined {
  const [, path = ""] = OWN_PATH.exec(pathOf(id)) ?? [];
  return path.startsWith(AGENT_PATH) ? path.slice(AGENT_PATH.length) : undefined;
}

/** Whom agents address their proofs to. */
export function serverId(trustDomain: TrustDomain): SpiffeId {
  return spiffeId(trustDomain, SERVER_PATH);
}

/**
 * Whether workloads may not have this ID: all that is below `/vouchsafe`, of the trust domain or of a project, stands for
 * the service's own parts.
 */
export function isReserved(id: SpiffeId): boolean {
  return OWN_PATH.test(pathOf(id));
}
