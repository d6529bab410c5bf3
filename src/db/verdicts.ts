import type { Kysely, Selectable } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Verdict } from "../custody/log-store.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Check } from "../policy/types.ts";
import type { Schema, VerdictsTable } from "./schema.ts";

/** The artifact's current verdicts, under the policies named or under all, by the policy's name. */
export async function currentVerdicts(
  db: Kysely<Schema>,
  project: ProjectId,
  artifact: Digest,
  policies?: readonly string[],
): Promise<Verdict[]> {
  if (policies?.length === 0) return [];
  let query = db
    .selectFrom("verdicts")
    .selectAll()
    .where("project_id", "=", project)
    .where("artifact", "=", artifact);
  if (policies !== undefined) query = query.where("policy", "in", policies);
  return (await query.orderBy("policy").execute()).map(verdictOf);
}

export function verdictOf(row: Selectable<Omit<VerdictsTable, "project_id">>): Verdict {
  return {
    artifact: row.artifact as Digest,
    policy: row.policy,
    policyHash: row.policy_hash,
    trustHash: row.trust_hash,
    evidenceSet: row.evidence_set,
    outcome: row.outcome,
    slsaLevel: row.slsa_level,
    attestations: row.attestations as readonly Digest[],
    checks: row.checks as readonly Check[],
    ...(row.valid_until !== null && { validUntil: row.valid_until }),
    index: row.index,
  };
}
