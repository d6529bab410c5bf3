import { activePolicies } from "../db/activations.ts";
import { lastRevocations } from "../db/agents.ts";
import { VouchsafeError } from "../errors.ts";
import { enrolledAgentId } from "../identity/agent-id.ts";
import { claimedIssuer, verifyServiceAccountToken } from "../identity/service-account-token.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { AgentEnrollment } from "../policy/agent-enrollment.ts";
import type { Vouchsafe } from "./context.ts";
import { certifyAgent } from "./join-agent.ts";

/** With what an agent joins that has no join token. */
export interface Enrolment {
  /** Base64 DER PKCS #10. */
  readonly csr: string;
  /** A projected service-account token of the agent's pod. */
  readonly kubernetes: string;
}

interface Enrolled {
  readonly agent: SpiffeId;
  /** Names what it joined by: each joins once. */
  readonly token: string;
  /** What the log says of it. */
  readonly by: Readonly<Record<string, string>>;
}

/**
 * Gives an agent its first certificate by a rule of the active policies. What it joins by is used up by the event that
 * records it, on all nodes; and the rule is in force when that is committed. An agent that was revoked does not come back
 * under its name: its pod could otherwise undo it.
 *
 * @throws VouchsafeError `invalid-csr`; `unauthenticated` for what no rule takes, or that was used before
 */
export async function enrolAgent(v: Vouchsafe, { csr, kubernetes }: Enrolment) {
  try {
    return await certifyAgent(v, v.project, csr, async () => {
      const active = await activePolicies(v.database.kysely, v.project);
      const policySet = active && (await v.documents.policies(v.project, active.document));
      const enrolled = byServiceAccount(v, [...(policySet?.enrollments.values() ?? [])], kubernetes);
      const { agent, token, by } = enrolled;
      if ((await lastRevocations(v.database.kysely, v.project, [agent])).size > 0) {
        throw new VouchsafeError(
          "unauthenticated",
          `${agent} was revoked: another pod joins under another name`,
        );
      }
      return { agent, body: { token, renews: null, by: { ...by } } };
    });
  } catch (cause) {
    if (!(cause instanceof VouchsafeError && cause.code === "conflict")) throw cause;
    throw new VouchsafeError(
      "unauthenticated",
      "An agent has joined by this token: the next one is good again",
      {
        cause,
      },
    );
  }
}

/** `k8s/CLUSTER/NODE/POD-UID`: a pod's agent is not that of the pod before it, and cannot come back when it is revoked. */
function byServiceAccount(v: Vouchsafe, rules: readonly AgentEnrollment[], token: string): Enrolled {
  const issuer = claimedIssuer(token);
  let refusal = new VouchsafeError("unauthenticated", "No rule for agents takes this service-account token");
  for (const { name, spec } of rules) {
    // Clusters often have one issuer, the default: then their keys tell them apart.
    if (spec.case !== "kubernetes" || spec.issuer !== issuer) continue;
    try {
      const { serviceAccount, pod, podName, node, id } = verifyServiceAccountToken(token, spec, v.clock());
      if (!spec.serviceAccounts.includes(serviceAccount)) continue;
      const { cluster } = spec;
      return {
        agent: enrolledAgentId(v.authority.trustDomain, ["k8s", cluster, node, pod]),
        token: `k8s:${id}`,
        by: { rule: name, method: "kubernetes", cluster, serviceAccount, node, pod: podName },
      };
    } catch (error) {
      if (!(error instanceof VouchsafeError && error.code === "unauthenticated")) throw error;
      refusal = error;
    }
  }
  throw refusal;
}
