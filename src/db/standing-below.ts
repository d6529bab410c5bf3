import { type Kysely, sql } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { APPROVAL_COLUMNS, approvalOf } from "./approvals.ts";
import type { DecisionInputs } from "./decision-inputs.ts";
import { EXCEPTION_COLUMNS, exceptionOf } from "./exceptions.ts";
import { metQuarantineOf, quarantinesMet } from "./quarantines.ts";
import type { Schema } from "./schema.ts";

/** What people said of artifacts that stood when the log had `below` entries. */
export async function readStandingBelow(
  db: Kysely<Schema>,
  project: ProjectId,
  artifacts: readonly Digest[],
  below: number,
): Promise<Pick<DecisionInputs, "quarantines" | "approvals" | "exceptions">> {
  const { quarantines } = await db
    .selectNoFrom(quarantinesMet(project, sql`${[...artifacts]}::text[]`, below).as("quarantines"))
    .executeTakeFirstOrThrow();
  const approvals = await db
    .selectFrom("approvals")
    .select(APPROVAL_COLUMNS)
    .where("project_id", "=", project)
    .where((where) => where("artifact", "=", where.fn.any(where.val([...artifacts]))))
    .where(stood("granted_index", "withdrawn_index", below))
    .orderBy("granted_index")
    .execute();
  const exceptions = await db
    .selectFrom("exceptions")
    .select(EXCEPTION_COLUMNS)
    .where("project_id", "=", project)
    .where((where) => where("artifact", "=", where.fn.any(where.val([...artifacts]))))
    .where(stood("granted_index", "withdrawn_index", below))
    .orderBy("granted_index")
    .execute();
  return {
    quarantines: quarantines.map(metQuarantineOf),
    approvals: approvals.map(approvalOf),
    exceptions: exceptions.map(exceptionOf),
  };
}

function stood(from: string, to: string, below: number) {
  const [start, end] = [sql.ref(from), sql.ref(to)];
  return sql<boolean>`${start} < ${below} and (${end} is null or ${end} >= ${below})`;
}
