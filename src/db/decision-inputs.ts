import type { Kysely } from "kysely";
import { jsonArrayFrom, jsonObjectFrom } from "kysely/helpers/postgres";
import type { ProjectId } from "../custody/events.ts";
import type { Verdict } from "../custody/log-store.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { ActivePolicies, ActiveTrust } from "./activations.ts";
import { type Quarantine, quarantineOf } from "./quarantines.ts";
import type { Schema } from "./schema.ts";
import { verdictOf } from "./verdicts.ts";

// Each reader is one statement, so that all parts of its answer are of one snapshot of the log, and `size` says
// of which. `*` aside, a change to any part moves one of the chains that the caller then rests on.

const VERDICT_COLUMNS = [
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
] as const;

/** What a decision about an artifact is made from, as of log size `size`. */
export interface DecisionInputs {
  readonly size: number;
  readonly verdicts: readonly Verdict[];
  readonly quarantines: readonly Quarantine[];
  /** Whether any attestation is about the artifact. */
  readonly hasEvidence: boolean;
  readonly policies?: ActivePolicies;
  readonly trust?: ActiveTrust;
}

export async function readDecisionInputs(
  db: Kysely<Schema>,
  project: ProjectId,
  artifact: Digest,
): Promise<DecisionInputs> {
  const row = await db
    .selectFrom("log_head")
    .select((head) => [
      "size",
      jsonArrayFrom(
        head
          .selectFrom("verdicts")
          .select(VERDICT_COLUMNS)
          .where("project_id", "=", project)
          .where("artifact", "=", artifact)
          .orderBy("policy"),
      ).as("verdicts"),
      jsonArrayFrom(
        head
          .selectFrom("quarantines")
          .select(["id", "artifact", "reason", "opened_index", "lifted_index"])
          .where("project_id", "=", project)
          .where("artifact", "=", artifact)
          .where("lifted_index", "is", null)
          .orderBy("opened_index"),
      ).as("quarantines"),
      head
        .exists(
          head
            .selectFrom("attestation_subjects")
            .select("attestation")
            .where("project_id", "=", project)
            .where("digest", "=", artifact),
        )
        .as("hasEvidence"),
      ...activeParts(db, project),
    ])
    .executeTakeFirstOrThrow();
  return {
    size: row.size,
    verdicts: row.verdicts.map(verdictOf),
    quarantines: row.quarantines.map(quarantineOf),
    hasEvidence: row.hasEvidence === true,
    ...(row.policies !== null && { policies: row.policies }),
    ...(row.trust !== null && { trust: row.trust }),
  };
}

/** Evidence by its id, and how many bytes it has. */
export interface StoredAttestation {
  readonly id: Digest;
  readonly size: number;
  /** When it was accepted, in milliseconds since the epoch. */
  readonly verifiedAt: number;
}

/** What verdicts about artifacts are computed from, as of log size `size`. */
export interface EvaluationInputs {
  readonly size: number;
  readonly policies?: ActivePolicies;
  readonly trust?: ActiveTrust;
  /** The attestations about each digest asked for, by their ids. */
  readonly attestations: ReadonlyMap<Digest, readonly StoredAttestation[]>;
  readonly verdicts: ReadonlyMap<Digest, readonly Verdict[]>;
}

export async function readEvaluationInputs(
  db: Kysely<Schema>,
  project: ProjectId,
  digests: readonly Digest[],
): Promise<EvaluationInputs> {
  const row = await db
    .selectFrom("log_head")
    .select((head) => [
      "size",
      jsonArrayFrom(
        head
          .selectFrom("attestation_subjects as subject")
          .innerJoin("evidence", (join) =>
            join
              .onRef("evidence.project_id", "=", "subject.project_id")
              .onRef("evidence.id", "=", "subject.attestation"),
          )
          .innerJoin("attestations", (join) =>
            join
              .onRef("attestations.project_id", "=", "subject.project_id")
              .onRef("attestations.id", "=", "subject.attestation"),
          )
          .select((row) => [
            "subject.digest",
            "subject.attestation as id",
            "attestations.verified_at as verifiedAt",
            row.fn<number>("octet_length", ["evidence.bytes"]).as("size"),
          ])
          .where("subject.project_id", "=", project)
          .where((where) => where("subject.digest", "=", where.fn.any(where.val([...digests]))))
          .orderBy("subject.attestation"),
      ).as("subjects"),
      jsonArrayFrom(
        head
          .selectFrom("verdicts")
          .select(VERDICT_COLUMNS)
          .where("project_id", "=", project)
          .where((where) => where("artifact", "=", where.fn.any(where.val([...digests]))))
          .orderBy("policy"),
      ).as("verdicts"),
      ...activeParts(db, project),
    ])
    .executeTakeFirstOrThrow();
  const attestations = new Map<Digest, StoredAttestation[]>(digests.map((digest) => [digest, []]));
  for (const { digest, id, size, verifiedAt } of row.subjects) {
    attestations.get(digest as Digest)?.push({ id: id as Digest, size, verifiedAt });
  }
  const verdicts = new Map<Digest, Verdict[]>(digests.map((digest) => [digest, []]));
  for (const verdict of row.verdicts.map(verdictOf)) verdicts.get(verdict.artifact)?.push(verdict);
  return {
    size: row.size,
    ...(row.policies !== null && { policies: row.policies }),
    ...(row.trust !== null && { trust: row.trust }),
    attestations,
    verdicts,
  };
}

function activeParts(db: Kysely<Schema>, project: ProjectId) {
  return [
    jsonObjectFrom(
      db
        .selectFrom("active_policies")
        .select(["policy_set as policySet", "document", "index"])
        .where("project_id", "=", project),
    ).as("policies"),
    jsonObjectFrom(
      db.selectFrom("active_trust").select(["trust", "holding", "index"]).where("project_id", "=", project),
    ).as("trust"),
  ] as const;
}
