import type { Kysely } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Schema } from "./schema.ts";

/** The policy set that the log says is active. */
export interface ActivePolicies {
  readonly policySet: string;
  /** Hash of the document (its files) in `documents`. */
  readonly document: string;
  readonly index: number;
}

/** The trust snapshot that the log says is active. */
export interface ActiveTrust {
  readonly trust: string;
  /** Snapshots under which a pass still holds: the active one and those that it extends. */
  readonly holding: readonly string[];
  readonly index: number;
}

export async function activePolicies(
  db: Kysely<Schema>,
  project: ProjectId,
): Promise<ActivePolicies | undefined> {
  return db
    .selectFrom("active_policies")
    .select(["policy_set as policySet", "document", "index"])
    .where("project_id", "=", project)
    .executeTakeFirst();
}

export async function activeTrust(db: Kysely<Schema>, project: ProjectId): Promise<ActiveTrust | undefined> {
  return db
    .selectFrom("active_trust")
    .select(["trust", "holding", "index"])
    .where("project_id", "=", project)
    .executeTakeFirst();
}
