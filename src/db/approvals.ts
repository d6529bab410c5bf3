import type { Kysely, Selectable } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Approval } from "../policy/approvals.ts";
import type { ApprovalsTable } from "./schema/standing.ts";
import type { Schema } from "./schema.ts";
import { isUuid } from "./uuid.ts";

/** What is read of a row of `approvals`, for `approvalOf`. */
export const APPROVAL_COLUMNS = [
  "id",
  "artifact",
  "policy",
  "policy_hash",
  "attestations",
  "approver",
  "reason",
  "granted_at",
  "granted_index",
  "withdrawn_index",
] as const;

export interface ApprovalRecord extends Approval {
  readonly artifact: Digest;
  readonly reason?: string;
  readonly grantedIndex: number;
  readonly withdrawnIndex?: number;
}

export async function findApproval(
  db: Kysely<Schema>,
  project: ProjectId,
  id: string,
): Promise<ApprovalRecord | undefined> {
  if (!isUuid(id)) return undefined;
  const row = await db
    .selectFrom("approvals")
    .selectAll()
    .where("project_id", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : approvalOf(row);
}

export function approvalOf(row: Selectable<Omit<ApprovalsTable, "project_id">>): ApprovalRecord {
  return {
    id: row.id,
    artifact: row.artifact as Digest,
    policy: row.policy,
    policyHash: row.policy_hash,
    attestations: row.attestations as readonly Digest[],
    approver: row.approver,
    ...(row.reason !== null && { reason: row.reason }),
    grantedAt: row.granted_at,
    grantedIndex: row.granted_index,
    ...(row.withdrawn_index !== null && { withdrawnIndex: row.withdrawn_index }),
  };
}
