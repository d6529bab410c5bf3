import type { ProjectId } from "../../custody/events.ts";
import { evidenceSetHash } from "../../custody/evidence-set.ts";
import { readEvidenceBelow } from "../../db/recorded-evidence.ts";
import { readStandingBelow } from "../../db/standing-below.ts";
import type { StandingVerdict } from "../../decisions/decide.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { evaluate } from "../../policy/evaluate.ts";
import type { PolicySet } from "../../policy/load.ts";
import type { VerificationPolicy } from "../../policy/policy.ts";
import type { Question } from "../../policy/question.ts";
import type { Vouchsafe } from "../context.ts";
import type { StateAsOf } from "../custody/state-as-of.ts";
import type { DigestStanding } from "../decisions/workload-standing.ts";
import { gatherEvidence, questionOf } from "../verification/gather-evidence.ts";

/** Digests as grants would find them, were these policies in force. */
export type Standings = (policies: PolicySet | undefined, named: readonly string[]) => DigestStanding[];

/**
 * Reads what there was to judge the digests by. Evidence is verified: who is told that a workload would be denied is
 * told what the functions say that will deny it.
 *
 * @param policies all that may be named
 */
export async function readStandings(
  v: Vouchsafe,
  project: ProjectId,
  state: StateAsOf,
  digests: readonly Digest[],
  policies: readonly VerificationPolicy[],
): Promise<(digests: readonly Digest[]) => Standings> {
  const { size: below, trust, revocations } = state;
  const found = await readEvidenceBelow(v.database.kysely, project, digests, below);
  const gathered =
    trust && (await gatherEvidence(v, project, found, { policies, trust, revocations, below }));
  const about = [...(gathered?.about.keys() ?? digests)];
  const said = await readStandingBelow(v.database.kysely, project, about, below);
  const verdicts = new Map<string, StandingVerdict>();
  const trustHash = trust?.hash ?? "";

  function verdictOf(policy: VerificationPolicy, question: Question): StandingVerdict {
    const key = `${policy.name} ${policy.hash} ${question.artifact}`;
    const known = verdicts.get(key);
    if (known !== undefined) return known;
    const verdict = {
      ...evaluate(policy, question, state.now),
      artifact: question.artifact,
      policy: policy.name,
      policyHash: policy.hash,
      trustHash,
      evidenceSet: evidenceSetHash(question.evidence.map(({ id }) => id)),
      isOvertaken: false,
      asOf: below,
      index: state.size,
    };
    verdicts.set(key, verdict);
    return verdict;
  }

  return (digests) => (set, named) => {
    const inForce = {
      policies: set?.policies ?? new Map(),
      trust: trustHash,
      holding: new Set([trustHash]),
      revocationsAsOf: 0,
      isSuspended: false,
    };
    const asked = named.flatMap((name) => set?.policies.get(name) ?? []);
    return digests.map((digest) => {
      const question = gathered && questionOf(digest, gathered);
      const isOwn = ({ artifact }: { readonly artifact: Digest }) => artifact === digest;
      return {
        size: below,
        digest,
        inForce,
        revocationsAsOf: 0,
        isSuspended: false,
        hasEvidence: question !== undefined,
        verdicts: question ? asked.map((policy) => verdictOf(policy, question)) : [],
        quarantines: said.quarantines,
        approvals: said.approvals.filter(isOwn),
        exceptions: said.exceptions.filter(isOwn),
      };
    });
  };
}
