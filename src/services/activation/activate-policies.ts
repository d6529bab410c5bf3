import { PROJECT_CHAIN } from "../../custody/events.ts";
import type { Receipt } from "../../custody/receipt.ts";
import { activePolicies } from "../../db/activations.ts";
import { readHead } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import { loadPolicySet, type PolicyFile, type PolicySet } from "../../policy/load.ts";
import type { Mode } from "../../policy/policy.ts";
import { requireOfProject } from "../../policy/project-reach.ts";
import { activePolicySet } from "../active-policy-set.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { reevaluateProject } from "../decisions/reevaluate.ts";

export interface PolicyProposal {
  readonly documents: readonly PolicyFile[];
  /** Hash of the policy set that this one is to replace; null where none is active. */
  readonly previous: string | null;
}

export interface PolicySummary {
  readonly name: string;
  readonly hash: string;
  readonly mode: Mode;
}

export interface ActivatedPolicies {
  readonly policySet: string;
  readonly policies: readonly PolicySummary[];
  /** Null when this very set was active already. */
  readonly receipt: Receipt | null;
}

/**
 * Puts a policy set in force by compare-and-swap on the one that its author saw. Verdicts under policies that
 * changed are outdated from then on, and evaluated anew in the background or when asked about.
 *
 * @throws VouchsafeError `invalid-policy` with every mistake; `conflict` with the set that is active
 */
export async function activatePolicies(
  v: Vouchsafe,
  { project, token }: Pick<Caller, "project" | "token">,
  { documents, previous }: PolicyProposal,
): Promise<ActivatedPolicies> {
  const policySet = loadPolicySet(documents);
  refuseOwnTrustDomain(v, policySet);
  requireOfProject(policySet, await v.projects.nameOf(project));
  const policies = summarize(policySet);

  const { committed } = await appendFresh(v, async () => {
    const { size } = await readHead(v.database.kysely);
    const active = (await activePolicies(v.database.kysely, project))?.policySet ?? null;
    if (active !== policySet.hash && active !== previous) throw conflict("policy set", active);
    const event = {
      type: "policy.activated",
      about: [PROJECT_CHAIN],
      body: {
        previous,
        policySet: policySet.hash,
        policies: policies.map(({ name, hash }) => ({ name, hash })),
        document: policySet.documentHash,
        caller: token,
      },
    } as const;
    const document = { hash: policySet.documentHash, kind: "policy", bytes: policySet.document } as const;
    const basis = { project, asOf: size, restsOn: [PROJECT_CHAIN] };
    const isActive = active === policySet.hash;
    return {
      proposal: isActive ? { ...basis, events: [] } : { ...basis, events: [event], documents: [document] },
    };
  });
  if (committed.length === 0) return { policySet: policySet.hash, policies, receipt: null };
  v.background((signal) => reevaluateProject(v, project, signal));
  return { policySet: policySet.hash, policies, receipt: onlyEvent(committed).receipt };
}

/** Its bundle is its own, and no endpoint's to give. */
function refuseOwnTrustDomain({ authority }: Vouchsafe, { federations }: PolicySet): void {
  const own = federations.get(authority.trustDomain);
  if (own === undefined) return;
  throw new VouchsafeError(
    "invalid-policy",
    `${own.file}: ${authority.trustDomain} is this service's own trust domain: it federates with others`,
  );
}

/** The active policies, as they were written, and what this node last found in its directory. */
export async function readPolicies(v: Vouchsafe, { project }: Pick<Caller, "project">) {
  const policySet = await activePolicySet(v, project);
  // The directory is of the project default, and what came of it is nobody else's to know.
  const lastReload = project === v.project ? v.policyDirectory.lastReload : null;
  if (policySet === undefined) return { policySet: null, documents: [], policies: [], lastReload };
  return {
    policySet: policySet.hash,
    documents: policySet.files,
    policies: summarize(policySet),
    lastReload,
  };
}

/** What a compare-and-swap answers whose author had not seen the newest state. */
export function conflict(what: string, active: string | null): VouchsafeError {
  return new VouchsafeError(
    "conflict",
    `Another ${what} became active; read it, and send yours with its hash as previous`,
    {
      extensions: { active },
    },
  );
}

function summarize({ policies }: PolicySet): PolicySummary[] {
  return [...policies.values()].map(({ name, hash, spec }) => ({ name, hash, mode: spec.mode }));
}
