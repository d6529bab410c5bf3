import type { ProjectId } from "../../custody/events.ts";
import type { QuarantineTarget } from "../../custody/quarantine-target.ts";
import type { IdentityRecord, IdentitySearch } from "../../db/identities.ts";
import { heldAmong } from "../../db/quarantines.ts";
import { type Passed, passesAmong, passesUnder } from "../../db/verdicts.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { policiesOf } from "../../policy/components.ts";
import type { PolicySet } from "../../policy/load.ts";
import { activePolicySet } from "../active-policy-set.ts";
import type { Vouchsafe } from "../context.ts";
import { batchesConcerned } from "./concerned-artifacts.ts";
import { createFalls, type Falls, type FallsFound, liveIdentities } from "./falls.ts";

/** Where something falls: all that looks for it is given the same. */
interface Looking {
  readonly v: Vouchsafe;
  readonly project: ProjectId;
  readonly falls: FallsFound;
  readonly policySet: PolicySet;
  readonly below: number | undefined;
}

/** Verdicts read at once. */
const PAGE = 1000;

/**
 * What falls by a quarantine, whether or not it was opened: the artifacts that pass a policy in force, and the live identities
 * that would not be granted again. Nothing is judged anew, for a quarantine asks of no verdict whether other evidence would do.
 *
 * @param below the log size at which it was opened: identities that lived then fall with it
 */
export async function quarantineFalls(
  v: Vouchsafe,
  project: ProjectId,
  target: QuarantineTarget,
  below?: number,
): Promise<Falls> {
  const falls = createFalls();
  const policySet = await activePolicySet(v, project);
  if (policySet === undefined) return falls.read();
  const looking = { v, project, falls, policySet, below };
  if ("spiffeId" in target || "serial" in target) await identitiesFall(looking, target);
  else if ("policy" in target) await policyFalls(looking, target.policy);
  else await artifactsFall(looking, target);
  return falls.read();
}

async function identitiesFall(
  { v, project, falls, below }: Looking,
  search: Pick<IdentitySearch, "anyOf" | "workloads" | "spiffeId" | "serial">,
  isMet: (identity: IdentityRecord) => boolean = () => true,
): Promise<void> {
  for await (const identity of liveIdentities(v, project, search, below)) {
    if (falls.isLate()) return;
    if (isMet(identity)) falls.identity(identity);
  }
}

/** All that passes the policy, and all that workload policies gave which name it. */
async function policyFalls(looking: Looking, policy: string): Promise<void> {
  const { v, project, falls, policySet } = looking;
  for (let after: Digest | undefined; ; ) {
    const page = await passesUnder(v.database.kysely, project, policy, { after, limit: PAGE });
    for (const digest of page) falls.artifact({ digest, policies: [policy] });
    after = page.at(-1);
    if (page.length < PAGE || falls.isLate()) break;
  }
  const naming = [...policySet.workloads.values()].filter(({ spec }) => policiesOf(spec).includes(policy));
  if (naming.length > 0) await identitiesFall(looking, { workloads: naming.map(({ name }) => name) });
}

async function artifactsFall(
  looking: Looking,
  target: Exclude<
    QuarantineTarget,
    { readonly policy: string } | { readonly spiffeId: string } | { readonly serial: string }
  >,
): Promise<void> {
  const { v, project, falls, policySet } = looking;
  const { kysely } = v.database;
  for await (const batch of batchesConcerned(v, project, target)) {
    if (falls.isLate()) return;
    const passes = (await passesAmong(kysely, project, batch)).filter(({ policy }) =>
      policySet.policies.has(policy),
    );
    const beneath = passes.flatMap(({ restsOn }) => restsOn);
    const held = await heldAmong(kysely, project, target, [...new Set([...batch, ...beneath])]);
    const lost = lostBy(passes, held);
    for (const [digest, policies] of lost) falls.artifact({ digest, policies });
    // What is held is denied by whatever policy, also where an exception let it through.
    const met = new Set([...lost.keys(), ...batch.filter((digest) => held.has(digest))]);
    await identitiesFall(looking, { anyOf: [...met] }, ({ digests, policies }) =>
      digests.some(
        (digest) => held.has(digest) || lost.get(digest)?.some((policy) => policies.includes(policy)),
      ),
    );
  }
}

/** The policies that each artifact passes, itself or what its pass rests on being held. */
function lostBy(
  passes: readonly Passed[],
  held: ReadonlySet<Digest>,
): ReadonlyMap<Digest, readonly string[]> {
  const lost = new Map<Digest, string[]>();
  for (const { artifact, policy, restsOn } of passes) {
    if (![artifact, ...restsOn].some((digest) => held.has(digest))) continue;
    lost.set(artifact, [...(lost.get(artifact) ?? []), policy]);
  }
  return lost;
}
