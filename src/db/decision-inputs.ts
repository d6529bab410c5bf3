import { type Kysely, sql } from "kysely";
import { jsonArrayFrom, jsonObjectFrom } from "kysely/helpers/postgres";
import { type ChainKey, PROJECT_CHAIN, type ProjectId } from "../custody/events.ts";
import type { Revocation } from "../custody/revocations.ts";
import type { StandingVerdict } from "../decisions/decide.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { ActivePolicies, ActiveTrust } from "./activations.ts";
import { APPROVAL_COLUMNS, type ApprovalRecord, approvalOf } from "./approvals.ts";
import { containersOf, type RecordedContainment } from "./containment.ts";
import { EXCEPTION_COLUMNS, type ExceptionRecord, exceptionOf } from "./exceptions.ts";
import { type MetQuarantineRecord, metQuarantineOf, quarantinesMet } from "./quarantines.ts";
import { REVOCATION_COLUMNS, revocationOf, revocationsAsOf } from "./revocations.ts";
import type { Schema } from "./schema.ts";
import { VERDICT_COLUMNS, verdictOf } from "./verdicts.ts";

// Each reader is one statement, so that all parts of its answer are of one snapshot of the log, and `size` says
// of which. `*` aside, a change to any part moves one of the chains that the caller then rests on.

/** What a decision about an artifact is made from, as of log size `size`. */
export interface DecisionInputs {
  readonly size: number;
  readonly verdicts: readonly StandingVerdict[];
  /** Those of the artifact and of all that its verdicts rest on, and those of policies. */
  readonly quarantines: readonly MetQuarantineRecord[];
  /** Not withdrawn. */
  readonly approvals: readonly ApprovalRecord[];
  /** Not withdrawn, whether or not they last. */
  readonly exceptions: readonly ExceptionRecord[];
  /** Whether there is anything to judge: an attestation about the artifact, or a manifest that holds it. */
  readonly hasEvidence: boolean;
  readonly policies?: ActivePolicies;
  readonly trust?: ActiveTrust;
  readonly revocationsAsOf: number;
  /** Whether the project is suspended. */
  readonly isSuspended: boolean;
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
      quarantinesMet(
        project,
        sql`(${artifact}::text || array(
          select unnest(v.rests_on) from verdicts v where v.project_id = ${project} and v.artifact = ${artifact}
        ))`,
      ).as("quarantines"),
      jsonArrayFrom(
        head
          .selectFrom("approvals")
          .select(APPROVAL_COLUMNS)
          .where("project_id", "=", project)
          .where("artifact", "=", artifact)
          .where("withdrawn_index", "is", null)
          .orderBy("granted_index"),
      ).as("approvals"),
      jsonArrayFrom(
        head
          .selectFrom("exceptions")
          .select(EXCEPTION_COLUMNS)
          .where("project_id", "=", project)
          .where("artifact", "=", artifact)
          .where("withdrawn_index", "is", null)
          .orderBy("granted_index"),
      ).as("exceptions"),
      head
        .or([
          head.exists(
            head
              .selectFrom("attestation_subjects")
              .select("attestation")
              .where("project_id", "=", project)
              .where("digest", "=", artifact),
          ),
          head.exists(
            head
              .selectFrom("containment")
              .select("container")
              .where("project_id", "=", project)
              .where("contained", "=", artifact),
          ),
        ])
        .as("hasEvidence"),
      ...activeParts(db, project),
    ])
    .executeTakeFirstOrThrow();
  return {
    size: row.size,
    verdicts: row.verdicts.map(verdictOf),
    quarantines: row.quarantines.map(metQuarantineOf),
    approvals: row.approvals.map(approvalOf),
    exceptions: row.exceptions.map(exceptionOf),
    hasEvidence: row.hasEvidence === true,
    ...activeIn(row),
  };
}

/** The chains that a decision from these inputs follows from: a newer event in one of them may change it. */
export function chainsBehind(artifact: Digest, { verdicts }: Pick<DecisionInputs, "verdicts">): ChainKey[] {
  return [...new Set([PROJECT_CHAIN, artifact, ...verdicts.flatMap(({ restsOn }) => restsOn)])];
}

/** Evidence by its id, and how many bytes it has. */
export interface StoredAttestation {
  readonly id: Digest;
  readonly size: number;
  /** When it was accepted, in milliseconds since the epoch. */
  readonly verifiedAt: number;
}

/** What evidence there is about artifacts. */
export interface EvidenceInputs {
  /** The attestations about each digest asked for, by their ids. */
  readonly attestations: ReadonlyMap<Digest, readonly StoredAttestation[]>;
  /** What directly holds them. */
  readonly manifests: readonly RecordedContainment[];
}

/** What verdicts about artifacts are computed from, as of log size `size`. */
export interface EvaluationInputs extends EvidenceInputs {
  readonly size: number;
  readonly policies?: ActivePolicies;
  readonly trust?: ActiveTrust;
  /** Not withdrawn. */
  readonly revocations: readonly Revocation[];
  readonly revocationsAsOf: number;
  readonly isSuspended: boolean;
  readonly verdicts: ReadonlyMap<Digest, readonly StandingVerdict[]>;
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
      ...evidenceParts(db, project, digests),
      jsonArrayFrom(
        head
          .selectFrom("verdicts")
          .select(VERDICT_COLUMNS)
          .where("project_id", "=", project)
          .where((where) => where("artifact", "=", where.fn.any(where.val([...digests]))))
          .orderBy("policy"),
      ).as("verdicts"),
      jsonArrayFrom(
        head
          .selectFrom("revocations")
          .select(REVOCATION_COLUMNS)
          .where("project_id", "=", project)
          .where("withdrawn_index", "is", null)
          .orderBy("revoked_index"),
      ).as("revocations"),
      ...activeParts(db, project),
    ])
    .executeTakeFirstOrThrow();
  const verdicts = new Map<Digest, StandingVerdict[]>(digests.map((digest) => [digest, []]));
  for (const verdict of row.verdicts.map(verdictOf)) verdicts.get(verdict.artifact)?.push(verdict);
  return {
    size: row.size,
    ...activeIn(row),
    revocations: row.revocations.map(revocationOf),
    ...evidenceOf(digests, row),
    verdicts,
  };
}

/** The same of artifacts that evidence leads to. */
export async function readEvidenceInputs(
  db: Kysely<Schema>,
  project: ProjectId,
  digests: readonly Digest[],
): Promise<EvidenceInputs> {
  return evidenceOf(
    digests,
    await db.selectNoFrom(evidenceParts(db, project, digests)).executeTakeFirstOrThrow(),
  );
}

function evidenceParts(db: Kysely<Schema>, project: ProjectId, digests: readonly Digest[]) {
  return [
    jsonArrayFrom(
      db
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
        // What has expired counts no longer: nobody can verify it.
        .where("evidence.bytes", "is not", null)
        .where((where) => where("subject.digest", "=", where.fn.any(where.val([...digests]))))
        .orderBy("subject.attestation"),
    ).as("subjects"),
    containersOf(project, digests).as("manifests"),
  ] as const;
}

function evidenceOf(
  digests: readonly Digest[],
  {
    subjects,
    manifests,
  }: {
    readonly subjects: readonly {
      readonly digest: string;
      readonly id: string;
      readonly size: number;
      readonly verifiedAt: number;
    }[];
    readonly manifests: readonly RecordedContainment[];
  },
): EvidenceInputs {
  const attestations = new Map<Digest, StoredAttestation[]>(digests.map((digest) => [digest, []]));
  for (const { digest, id, size, verifiedAt } of subjects) {
    attestations.get(digest as Digest)?.push({ id: id as Digest, size, verifiedAt });
  }
  return { attestations, manifests };
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
    revocationsAsOf(project).as("revocationsAsOf"),
    db.selectFrom("suspensions").select("suspended").where("project_id", "=", project).as("isSuspended"),
  ] as const;
}

function activeIn(row: {
  readonly policies: ActivePolicies | null;
  readonly trust: ActiveTrust | null;
  readonly revocationsAsOf: number;
  readonly isSuspended: boolean | null;
}) {
  return {
    ...(row.policies !== null && { policies: row.policies }),
    ...(row.trust !== null && { trust: row.trust }),
    revocationsAsOf: row.revocationsAsOf,
    isSuspended: row.isSuspended === true,
  };
}
