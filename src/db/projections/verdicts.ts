import type { ProjectId } from "../../custody/events.ts";
import type { LogEntry, Verdict } from "../../custody/log-store.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Check, EvidenceOnApproval } from "../../policy/types.ts";
import { millisecondsOf, type Projection } from "./rows.ts";

export function projectVerdict(
  outcome: Verdict["outcome"],
  { project, index, draft }: LogEntry,
  rows: Projection,
): void {
  const verdict = draft.body as unknown as {
    policy: string;
    policyHash: string;
    trust: string;
    artifacts: readonly { digest: Digest; evidenceSet: string }[];
    attestations: readonly Digest[];
    slsaLevel: number;
    validUntil: string | null;
    checks: readonly Check[];
    restsOn?: readonly Digest[];
    approvals?: EvidenceOnApproval;
  };
  const { policy, policyHash, trust, attestations, slsaLevel, validUntil, checks, approvals } = verdict;
  for (const { digest, evidenceSet } of verdict.artifacts) {
    const current: Verdict = {
      artifact: digest,
      policy,
      policyHash,
      trustHash: trust,
      evidenceSet,
      outcome,
      slsaLevel,
      attestations,
      checks,
      ...(validUntil !== null && { validUntil: millisecondsOf(validUntil) }),
      restsOn: verdict.restsOn ?? [],
      ...(approvals !== undefined && { approvals }),
      index,
    };
    projectCurrentVerdict(rows, { ...current, project, asOf: index });
    for (const ground of current.restsOn) {
      const key = `${project} ${digest} ${ground}`;
      const row = { project_id: project, artifact: digest, ground, index };
      rows.verdict_grounds.set(key, rows.verdict_grounds.get(key) ?? row);
    }
  }
}

/** Also for confirmations, which are rows without an event of their own. */
export function projectCurrentVerdict(
  rows: Projection,
  verdict: Verdict & { readonly project: ProjectId; readonly asOf: number },
): void {
  rows.verdicts.set(`${verdict.project} ${verdict.artifact} ${verdict.policy}`, {
    project_id: verdict.project,
    artifact: verdict.artifact,
    policy: verdict.policy,
    policy_hash: verdict.policyHash,
    trust_hash: verdict.trustHash,
    evidence_set: verdict.evidenceSet,
    outcome: verdict.outcome,
    slsa_level: verdict.slsaLevel,
    attestations: verdict.attestations,
    checks: verdict.checks,
    valid_until: verdict.validUntil,
    index: verdict.index,
    rests_on: verdict.restsOn,
    as_of: verdict.asOf,
    approvals: verdict.approvals,
  });
}
