import type { ProjectId } from "../custody/events.ts";
import { evidenceSetHash } from "../custody/evidence-set.ts";
import type { Verdict } from "../custody/log-store.ts";
import { readDecisionInputs } from "../db/decision-inputs.ts";
import { quarantinesAsOf } from "../db/quarantines.ts";
import { attestationsAbout } from "../db/recorded-evidence.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { evaluate } from "../policy/evaluate.ts";
import type { PolicySet } from "../policy/load.ts";
import type { VerificationPolicy } from "../policy/policy.ts";
import { alone, type Question, relatedTo } from "../policy/question.ts";
import type { VerifiedAttestation } from "../verify/verified-attestation.ts";
import type { Vouchsafe } from "./context.ts";
import type { StateAsOf } from "./state-as-of.ts";
import type { DigestStanding } from "./workload-standing.ts";

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
  const questions = await questionsAbout(v, project, state, digests, policies);
  const quarantines = await quarantinesAsOf(v.database.kysely, project, digests, state.size);
  const inputs = new Map(
    await Promise.all(
      digests.map(
        async (digest) => [digest, await readDecisionInputs(v.database.kysely, project, digest)] as const,
      ),
    ),
  );
  const verdicts = new Map<string, Verdict>();
  const trust = state.trust?.hash ?? "";

  function verdictOf(policy: VerificationPolicy, question: Question): Verdict {
    const key = `${policy.name} ${policy.hash} ${question.artifact}`;
    const known = verdicts.get(key);
    if (known !== undefined) return known;
    const verdict = {
      ...evaluate(policy, question, state.now),
      artifact: question.artifact,
      policy: policy.name,
      policyHash: policy.hash,
      trustHash: trust,
      evidenceSet: evidenceSetHash(question.evidence.map(({ id }) => id)),
      index: state.size,
    };
    verdicts.set(key, verdict);
    return verdict;
  }

  return (digests) => (set, named) => {
    const inForce = { policies: set?.policies ?? new Map(), trust, holding: new Set([trust]) };
    const asked = named.flatMap((name) => set?.policies.get(name) ?? []);
    return digests.flatMap((digest) => {
      const [input, question] = [inputs.get(digest), questions.get(digest)];
      if (input === undefined || question === undefined) return [];
      const hasEvidence = question.evidence.length > 0;
      return {
        ...input,
        digest,
        inForce,
        hasEvidence,
        quarantines: quarantines.filter(({ artifact }) => artifact === digest),
        verdicts: hasEvidence ? asked.map((policy) => verdictOf(policy, question)) : [],
      };
    });
  };
}

async function questionsAbout(
  v: Vouchsafe,
  project: ProjectId,
  state: StateAsOf,
  digests: readonly Digest[],
  policies: readonly VerificationPolicy[],
): Promise<Map<Digest, Question>> {
  const known = new Map<Digest, readonly VerifiedAttestation[]>();
  for (let unknown: readonly Digest[] = digests; unknown.length > 0; ) {
    for (const [digest, evidence] of await verifiedAbout(v, project, state, unknown))
      known.set(digest, evidence);
    const named = digests.flatMap((digest) =>
      relatedTo(policies, { ...alone(digest, known.get(digest) ?? []), others: known }),
    );
    unknown = [...new Set(named)].filter((digest) => !known.has(digest));
  }
  return new Map(
    digests.map((digest) => [digest, { ...alone(digest, known.get(digest) ?? []), others: known }]),
  );
}

async function verifiedAbout(
  v: Vouchsafe,
  project: ProjectId,
  { size, trust }: StateAsOf,
  digests: readonly Digest[],
): Promise<Map<Digest, VerifiedAttestation[]>> {
  const about = await attestationsAbout(v.database.kysely, project, digests, size);
  const stored = new Map(about.map((one) => [one.id, one]));
  const verified = trust && (await v.evidence.verified(project, [...stored.values()], trust));
  const byArtifact = Map.groupBy(about, ({ artifact }) => artifact);
  return new Map(
    digests.map((digest) => [
      digest,
      (byArtifact.get(digest) ?? []).flatMap(({ id }) => verified?.get(id) ?? []),
    ]),
  );
}
