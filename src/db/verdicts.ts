import { type Selectable, sql } from "kysely";
import { EVENT_TYPES, EVIDENCE } from "../custody/events.ts";
import type { StandingVerdict } from "../decisions/decide.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Check } from "../policy/types.ts";
import type { VerdictsTable } from "./schema.ts";

/** What is read of a row of `verdicts`, for `verdictOf`. */
export const VERDICT_COLUMNS = [
  "artifact",
  "policy",
  "policy_hash",
  "trust_hash",
  "evidence_set",
  "outcome",
  "slsa_level",
  "attestations",
  "checks",
  "valid_until",
  "index",
  "rests_on",
  sql<boolean>`exists (
    select from log_chain c join log_entries e on e.index = c.index
    where c.project_id = verdicts.project_id
      and c.key = any (verdicts.rests_on || verdicts.artifact) and c.index >= verdicts.as_of
      and e.type = any (${EVIDENCE.map((type) => EVENT_TYPES[type])}::int2[])
  )`.as("is_overtaken"),
] as const;

export function verdictOf(
  row: Selectable<Omit<VerdictsTable, "project_id" | "as_of">> & { readonly is_overtaken: boolean },
): StandingVerdict {
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
    restsOn: row.rests_on as Digest[],
    index: row.index,
    isOvertaken: row.is_overtaken,
  };
}
