import type { ProjectId } from "../../custody/events.ts";
import { type DecisionInputs, readDecisionInputs } from "../../db/decision-inputs.ts";
import { readHead } from "../../db/log.ts";
import type { InForce } from "../../decisions/decide.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { type Components, demandedOf, digestsOf, policiesFor } from "../../policy/components.ts";
import { matchWorkloads, type Requester, type WorkloadPolicy } from "../../policy/workload-policy.ts";
import { activePolicySet } from "../active-policy-set.ts";
import type { Vouchsafe } from "../context.ts";
import { needsEvaluation } from "./evaluate-artifacts.ts";
import { inForceOf } from "./in-force.ts";
import { reevaluate } from "./reevaluate.ts";

/** All that a request for identities is judged from. Everything was read at log size `asOf` or a newer one. */
export interface Standing {
  readonly asOf: number;
  /** Hash of the active policy set; empty where none is active. */
  readonly policySet: string;
  /** The workload policies under which the requester may ask for these selectors. */
  readonly workloads: readonly WorkloadPolicy[];
  readonly digests: readonly DigestStanding[];
}

export interface DigestStanding extends DecisionInputs {
  readonly digest: Digest;
  readonly inForce: InForce;
}

export async function readStanding(
  v: Vouchsafe,
  project: ProjectId,
  requester: Requester,
  { selectors, components }: { readonly selectors: readonly string[]; readonly components: Components },
): Promise<Standing> {
  // The size is read first: what is read after it is at least as new, so that to rest on it is safe.
  const { size: asOf } = await readHead(v.database.kysely);
  const policySet = await activePolicySet(v, project);
  const workloads = policySet ? matchWorkloads(policySet, requester, selectors) : [];
  const demands = workloads.map((workload) => ({ ...workload, demanded: demandedOf(workload, components) }));
  const policiesAsked = (digest: Digest) => [
    ...new Set(demands.flatMap(({ spec, demanded }) => policiesFor(spec, demanded, digest))),
  ];
  return {
    asOf,
    policySet: policySet?.hash ?? "",
    workloads,
    digests: await Promise.all(
      digestsOf(components).map((digest) => standingOf(v, project, digest, policiesAsked(digest))),
    ),
  };
}

/**
 * What decisions about a digest are made from. A verdict of these policies that is missing, outdated or at its end is
 * evaluated first: an edit of policy or trust denies nobody for long.
 */
export async function standingOf(
  v: Vouchsafe,
  project: ProjectId,
  digest: Digest,
  policies: readonly string[],
): Promise<DigestStanding> {
  const read = async () => {
    const inputs = await readDecisionInputs(v.database.kysely, project, digest);
    return { ...inputs, digest, inForce: await inForceOf(v, project, inputs) };
  };
  const standing = await read();
  const { hasEvidence, verdicts, inForce } = standing;
  if (!hasEvidence || !needsEvaluation(verdicts, policies, inForce, v.clock())) return standing;
  await reevaluate(v, project, [digest], policies);
  return read();
}
