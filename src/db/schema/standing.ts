import type { QuarantineRule } from "../../custody/quarantine-target.ts";
import type { RevocationTarget } from "../../custody/revocation-target.ts";
import type { Fixed, Json } from "./column-types.ts";

// What stands from one event to another, and what would have been denied.

/** Either of an artifact or by a rule. */
export interface QuarantinesTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  artifact: Fixed<string | null>;
  target: Json<QuarantineRule | null>;
  reason: Fixed<string>;
  opened_index: Fixed<number>;
  lifted_index: number | null;
}

export interface ApprovalsTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  artifact: Fixed<string>;
  policy: Fixed<string>;
  policy_hash: Fixed<string>;
  attestations: Json<readonly string[]>;
  /** Name of the token that gave it. */
  approver: Fixed<string>;
  reason: Fixed<string | null>;
  granted_at: Fixed<number>;
  granted_index: Fixed<number>;
  withdrawn_index: number | null;
}

export interface ExceptionsTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  artifact: Fixed<string>;
  policy: Fixed<string>;
  owner: Fixed<string>;
  reason: Fixed<string>;
  expires_at: Fixed<number>;
  granted_index: Fixed<number>;
  withdrawn_index: number | null;
}

export interface RevocationsTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  target: Json<RevocationTarget>;
  reason: Fixed<string>;
  revoked_index: Fixed<number>;
  withdrawn_index: number | null;
}

/** What policies in audit mode would have denied. */
export interface WouldDenialsTable {
  project_id: Fixed<string>;
  index: Fixed<number>;
  n: Fixed<number>;
  time: Fixed<number>;
  policy: Fixed<string | null>;
  workload: Fixed<string | null>;
  artifact: Fixed<string | null>;
  because: Fixed<string | null>;
  requester: Fixed<string>;
  count: Fixed<number>;
}
