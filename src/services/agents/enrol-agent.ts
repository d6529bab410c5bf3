import type { ProjectId } from "../../custody/events.ts";
import { lastRevocations } from "../../db/agents.ts";
import { hasCode, VouchsafeError } from "../../errors.ts";
import { enrolledAgentId, isReserved } from "../../identity/agent-id.ts";
import { verifyJoinProof } from "../../identity/join-proof.ts";
import type { ProjectName } from "../../identity/project-name.ts";
import { claimedIssuer, verifyServiceAccountToken } from "../../identity/service-account-token.ts";
import { pathOf, type SpiffeId, trustDomainOf } from "../../identity/spiffe-id.ts";
import type { AgentEnrollment } from "../../policy/documents/agent-enrollment.ts";
import { requireGranted } from "../access/granted-svid.ts";
import { findNamedProject } from "../access/named-project.ts";
import type { Vouchsafe } from "../context.ts";
import { type FederationRelationship, readRelationships } from "../federation/relationships.ts";
import { certifyAgent } from "./join-agent.ts";

/** With what an agent joins that has no join token: one of these. */
export interface Enrolment {
  /** Base64 DER PKCS #10. */
  readonly csr: string;
  /** A projected service-account token of the agent's pod. */
  readonly kubernetes?: string;
  /** A proof by an SVID (`makeJoinProof`). */
  readonly svid?: string;
}

interface JoinedProject {
  readonly id: ProjectId;
  readonly name: ProjectName;
}

interface Enrolled {
  readonly agent: SpiffeId;
  /** Names what it joined by: each joins once. */
  readonly token: string;
  /** What the log says of it. */
  readonly by: Readonly<Record<string, string>>;
}

/** Said alike of a project that is not there: strangers do not learn which there are. */
const NO_RULE = "No rule for agents takes this";

/**
 * Gives an agent its first certificate by a rule of the active policies. What it joins by is used up by the event that
 * records it, on all nodes; and the rule is in force when that is committed. An agent that was revoked does not come back
 * under its name: its pod could otherwise undo it.
 *
 * @param named the project that the request names
 * @throws VouchsafeError `invalid-csr`; `invalid-request`; `unauthenticated` for what no rule takes, or that was used before;
 *   `agent-proof-invalid`; `project-suspended`
 */
export async function enrolAgent(v: Vouchsafe, { csr, kubernetes, svid }: Enrolment, named?: string) {
  if ((kubernetes === undefined) === (svid === undefined)) {
    throw new VouchsafeError("invalid-request", "Join either by a service-account token or by an SVID");
  }
  const project = await findNamedProject(v, named);
  if (project === undefined) throw refused(NO_RULE);
  const into = { id: project, name: await v.projects.nameOf(project) };
  try {
    return await certifyAgent(v, project, csr, async () => {
      const { policySet, relationships } = await readRelationships(v, project);
      const rules = [...(policySet?.enrollments.values() ?? [])];
      const { agent, token, by } =
        kubernetes === undefined
          ? await bySvid(v, into, rules, relationships, svid ?? "", csr)
          : byServiceAccount(v, into, rules, kubernetes);
      if ((await lastRevocations(v.database.kysely, project, [agent])).size > 0) {
        throw refused(`${agent} was revoked: another joins under another name`);
      }
      return { agent, body: { token, renews: null, by: { ...by } } };
    });
  } catch (cause) {
    if (!hasCode(cause, "conflict")) throw cause;
    throw refused("An agent has joined by this: the next token or proof is good again", cause);
  }
}

/**
 * `svid/TRUST-DOMAIN/PATH`: a workload of ours or of a trust domain that the policies federate with. The service's own
 * parts join nowhere by what they are.
 */
async function bySvid(
  v: Vouchsafe,
  project: JoinedProject,
  rules: readonly AgentEnrollment[],
  relationships: readonly FederationRelationship[],
  proof: string,
  csr: string,
): Promise<Enrolled> {
  const own = v.authority.trustDomain;
  const bundleFor = (id: SpiffeId) =>
    trustDomainOf(id) === own
      ? v.authority.bundle()
      : relationships.find(({ trustDomain }) => trustDomain === trustDomainOf(id))?.bundle;
  const svid = verifyJoinProof(proof, own, Buffer.from(csr, "base64"), bundleFor, v.clock());
  const { spiffeId, leaf, jti } = svid;
  const rule = rules.find(
    ({ spec }) => spec.case === "svid" && spec.spiffeIds.some((glob) => glob.matches(spiffeId)),
  );
  if (rule === undefined || isReserved(spiffeId)) throw refused(NO_RULE);
  if (trustDomainOf(spiffeId) === own) await requireGranted(v, project.id, svid);
  const [, ...path] = pathOf(spiffeId).split("/");
  return {
    agent: enrolledAgentId(own, ["svid", trustDomainOf(spiffeId), ...path], project.name),
    token: `svid:${jti}`,
    by: { rule: rule.name, method: "svid", spiffeId, serial: leaf.serial },
  };
}

/** `k8s/CLUSTER/NODE/POD-UID`: a pod's agent is not that of the pod before it, and cannot come back when it is revoked. */
function byServiceAccount(
  v: Vouchsafe,
  project: JoinedProject,
  rules: readonly AgentEnrollment[],
  token: string,
): Enrolled {
  const issuer = claimedIssuer(token);
  let refusal = refused(NO_RULE);
  for (const { name, spec } of rules) {
    // Clusters often have one issuer, the default: then their keys tell them apart.
    if (spec.case !== "kubernetes" || spec.issuer !== issuer) continue;
    try {
      const { serviceAccount, pod, podName, node, id } = verifyServiceAccountToken(token, spec, v.clock());
      if (!spec.serviceAccounts.includes(serviceAccount)) continue;
      const { cluster } = spec;
      return {
        agent: enrolledAgentId(v.authority.trustDomain, ["k8s", cluster, node, pod], project.name),
        token: `k8s:${id}`,
        by: { rule: name, method: "kubernetes", cluster, serviceAccount, node, pod: podName },
      };
    } catch (error) {
      if (!hasCode(error, "unauthenticated")) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function refused(message: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("unauthenticated", message, cause === undefined ? {} : { cause });
}
