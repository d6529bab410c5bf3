import type { ProjectId } from "../../custody/events.ts";
import type { DecisionInputs } from "../../db/decision-inputs.ts";
import type { InForce } from "../../decisions/decide.ts";
import type { Vouchsafe } from "../context.ts";

type Active = Pick<DecisionInputs, "policies" | "trust" | "revocationsAsOf" | "isSuspended">;

/** What the log says is active, as decisions need it: the policies, and the trust that passes may rest on. */
export async function inForceOf(
  { documents }: Pick<Vouchsafe, "documents">,
  project: ProjectId,
  { policies, trust, revocationsAsOf, isSuspended }: Active,
): Promise<InForce> {
  const policySet = policies && (await documents.policies(project, policies.document));
  return {
    policies: policySet?.policies ?? new Map(),
    trust: trust?.trust ?? "",
    holding: new Set(trust?.holding),
    revocationsAsOf,
    isSuspended,
  };
}
