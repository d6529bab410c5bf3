import { type Kysely, type Selectable, sql } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { StandingVerdict } from "../decisions/decide.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Check } from "../policy/types.ts";
import type { Schema, VerdictsTable } from "./schema.ts";

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
  "approvals",
  "as_of",
  // Not by the chains: an artifact's can have a million identities since.
  sql<boolean>`(
    exists (
      select from attestation_subjects s
      join attestations a on a.project_id = s.project_id and a.id = s.attestation
      where s.project_id = verdicts.project_id
        and s.digest = any (verdicts.rests_on || verdicts.artifact) and a.index >= verdicts.as_of
    ) or exists (
      select from attestation_subjects s
      join expirations x on x.project_id = s.project_id and x.attestation = s.attestation
      where s.project_id = verdicts.project_id
        and s.digest = any (verdicts.rests_on || verdicts.artifact) and x.index >= verdicts.as_of
    ) or exists (
      select from containment c
      where c.project_id = verdicts.project_id
        and c.contained = any (verdicts.rests_on || verdicts.artifact) and c.index >= verdicts.as_of
    )
  )`.as("is_overtaken"),
] as const;

/** A pass that time has ended. */
export interface EndedVerdict {
  readonly artifact: Digest;
  /** Milliseconds since the epoch. */
  readonly validUntil: number;
}

/** Passes under these policies that have ended at `now`, the earliest end first; `after`: the last of the page before. */
export async function endedVerdicts(
  db: Kysely<Schema>,
  project: ProjectId,
  {
    policies,
    now,
    after,
    limit,
  }: { policies: readonly string[]; now: number; after?: EndedVerdict; limit: number },
): Promise<EndedVerdict[]> {
  const rows = await db
    .selectFrom("verdicts")
    .select(["artifact", "valid_until as validUntil"])
    .distinct()
    .where("project_id", "=", project)
    .where("outcome", "=", "passed")
    .where("valid_until", "<=", now)
    .where((where) => where("policy", "=", where.fn.any(where.val([...policies]))))
    .$if(after !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple("valid_until", "artifact"), ">", tuple(after?.validUntil ?? 0, after?.artifact ?? "")),
      ),
    )
    .orderBy("valid_until")
    .orderBy("artifact")
    .limit(limit)
    .execute();
  return rows.flatMap(({ artifact, validUntil }) =>
    validUntil === null ? [] : [{ artifact: artifact as Digest, validUntil }],
  );
}

/** A pass, and the other artifacts that it rests on. */
export interface Passed {
  readonly artifact: Digest;
  readonly policy: string;
  readonly restsOn: readonly Digest[];
}

/** The newest verdicts about these artifacts that passed. */
export async function passesAmong(
  db: Kysely<Schema>,
  project: ProjectId,
  artifacts: readonly Digest[],
): Promise<Passed[]> {
  const rows = await db
    .selectFrom("verdicts")
    .select(["artifact", "policy", "rests_on"])
    .where("project_id", "=", project)
    .where((where) => where("artifact", "=", where.fn.any(where.val([...artifacts]))))
    .where("outcome", "=", "passed")
    .orderBy("artifact")
    .orderBy("policy")
    .execute();
  return rows.map((row) => ({
    artifact: row.artifact as Digest,
    policy: row.policy,
    restsOn: row.rests_on as Digest[],
  }));
}

/** The artifacts whose newest verdict under a policy passed, in the order of their digests. */
export async function passesUnder(
  db: Kysely<Schema>,
  project: ProjectId,
  policy: string,
  { after, limit }: { readonly after: Digest | undefined; readonly limit: number },
): Promise<Digest[]> {
  const rows = await db
    .selectFrom("verdicts")
    .select("artifact")
    .where("project_id", "=", project)
    .where("policy", "=", policy)
    .where("outcome", "=", "passed")
    .where("artifact", ">", after ?? "")
    .orderBy("artifact")
    .limit(limit)
    .execute();
  return rows.map(({ artifact }) => artifact as Digest);
}

export function verdictOf(
  row: Selectable<Omit<VerdictsTable, "project_id">> & { readonly is_overtaken: boolean },
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
    ...(row.approvals !== null && { approvals: row.approvals }),
    index: row.index,
    asOf: row.as_of,
    isOvertaken: row.is_overtaken,
  };
}
