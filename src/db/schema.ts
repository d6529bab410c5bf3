import type { EvidenceOnApproval } from "../policy/types.ts";
import type { Fixed, Json } from "./schema/column-types.ts";
import type { FederationTables } from "./schema/federation.ts";
import type {
  AgentRequestsTable,
  AgentRevocationsTable,
  AgentsTable,
  CrlsTable,
  IdentitiesTable,
  IdentityRevocationsTable,
} from "./schema/identities.ts";
import type { InventoryTable } from "./schema/inventory.ts";
import type {
  ExpirationsTable,
  HoldReleasesTable,
  HoldsTable,
  RetentionClassesTable,
  VerdictGroundsTable,
} from "./schema/retention.ts";
import type {
  ApprovalsTable,
  ExceptionsTable,
  QuarantinesTable,
  RevocationsTable,
  WouldDenialsTable,
} from "./schema/standing.ts";
import type { WitnessTables } from "./schema/witnesses.ts";
import type { UsedTokensTable } from "./used-tokens.ts";

/**
 * Every table, one interface each. Times are milliseconds since the epoch, `int8` and safe integers
 * throughout; `bytea` reads as `Uint8Array`; digests and hashes in `text` are `algorithm:hex`.
 *
 * The `log_*` tables are the custody log. All other tables that a project owns, `tokens` and `agent_requests` apart,
 * follow from the log's events (`projections/`).
 */
export interface Schema extends WitnessTables, FederationTables {
  projects: ProjectsTable;
  suspensions: SuspensionsTable;
  log_head: LogHeadTable;
  log_entries: LogEntriesTable;
  log_chain: LogChainTable;
  log_tiles: LogTilesTable;
  evidence: EvidenceTable;
  documents: DocumentsTable;
  attestations: AttestationsTable;
  attestation_subjects: AttestationSubjectsTable;
  containment: ContainmentTable;
  rejections: RejectionsTable;
  verdicts: VerdictsTable;
  quarantines: QuarantinesTable;
  approvals: ApprovalsTable;
  exceptions: ExceptionsTable;
  revocations: RevocationsTable;
  active_policies: ActivePoliciesTable;
  active_trust: ActiveTrustTable;
  tokens: TokensTable;
  agents: AgentsTable;
  agent_revocations: AgentRevocationsTable;
  identities: IdentitiesTable;
  identity_revocations: IdentityRevocationsTable;
  crls: CrlsTable;
  inventory: InventoryTable;
  would_denials: WouldDenialsTable;
  holds: HoldsTable;
  hold_releases: HoldReleasesTable;
  retention_classes: RetentionClassesTable;
  expirations: ExpirationsTable;
  verdict_grounds: VerdictGroundsTable;
  agent_requests: AgentRequestsTable;
  used_tokens: UsedTokensTable;
}

export interface ProjectsTable {
  id: Fixed<string>;
  name: Fixed<string>;
  created_at: Fixed<number>;
}

/** What the log said last of a project; none: it was never suspended. */
export interface SuspensionsTable {
  project_id: Fixed<string>;
  suspended: boolean;
  reason: string;
  index: number;
}

/** One row: the tree as of the last commit. Its lock orders all writers. */
export interface LogHeadTable {
  only: Fixed<boolean>;
  size: number;
  root: Uint8Array;
  /** Hashes of the full subtrees, largest first, 32 bytes each. */
  peaks: Uint8Array;
  time: number;
  /** The signed note of this size; empty while the log is. */
  checkpoint: string;
}

export interface LogEntriesTable {
  index: Fixed<number>;
  project_id: Fixed<string>;
  type: Fixed<number>;
  time: Fixed<number>;
  leaf: Fixed<Uint8Array>;
  leaf_hash: Fixed<Uint8Array>;
  salt: Fixed<Uint8Array>;
  body: Fixed<Uint8Array>;
}

/** Which events each chain holds. */
export interface LogChainTable {
  project_id: Fixed<string>;
  key: Fixed<string>;
  index: Fixed<number>;
}

/** Full tiles only (C2SP tlog-tiles, height 8). */
export interface LogTilesTable {
  level: Fixed<number>;
  tile: Fixed<number>;
  /** 256 hashes of 32 bytes. */
  hashes: Fixed<Uint8Array>;
  root: Fixed<Uint8Array>;
}

/** Evidence as received, by the sha256 of its bytes. */
export interface EvidenceTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  media_type: Fixed<string>;
  /** Null where retention has deleted them: `expirations` says by which event. */
  bytes: Fixed<Uint8Array | null>;
  index: Fixed<number>;
}

/** Policy sets, trust snapshots and manifests that an event names, by the sha256 of their bytes. */
export interface DocumentsTable {
  project_id: Fixed<string>;
  hash: Fixed<string>;
  kind: Fixed<"policy" | "trust" | "manifest">;
  bytes: Fixed<Uint8Array>;
}

export interface AttestationsTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  index: Fixed<number>;
  media_type: Fixed<string>;
  predicate_type: Fixed<string | null>;
  signer: Json<Readonly<Record<string, string>>>;
  signer_issuer: Fixed<string | null>;
  /** The certificate's identity, or the key's name. */
  signer_identity: Fixed<string>;
  source_repository: Fixed<string | null>;
  source_ref: Fixed<string | null>;
  source_commit: Fixed<string | null>;
  builder: Fixed<string | null>;
  verified_at: Fixed<number>;
}

export interface AttestationSubjectsTable {
  project_id: Fixed<string>;
  digest: Fixed<string>;
  attestation: Fixed<string>;
  name: Fixed<string | null>;
}

/** Which artifact holds which, by the manifest that was recorded at `index`. */
export interface ContainmentTable {
  project_id: Fixed<string>;
  contained: Fixed<string>;
  container: Fixed<string>;
  index: Fixed<number>;
}

/** Refused uploads, once for each (digest, code, trust). */
export interface RejectionsTable {
  project_id: Fixed<string>;
  digest: Fixed<string>;
  code: Fixed<string>;
  trust_hash: Fixed<string>;
  index: Fixed<number>;
  caller: Fixed<string>;
  time: Fixed<number>;
}

/** The current verdict of each (artifact, policy). */
export interface VerdictsTable {
  project_id: string;
  artifact: string;
  policy: string;
  policy_hash: string;
  trust_hash: string;
  evidence_set: string;
  outcome: "passed" | "failed";
  slsa_level: number;
  attestations: Json<readonly string[]>;
  checks: Json<readonly unknown[]>;
  valid_until: number | null;
  /** The event that recorded this outcome. */
  index: number;
  /** Other artifacts whose evidence was looked at. */
  rests_on: string[];
  /** The log size that it was found at last: evidence logged from there on has not been judged. */
  as_of: number;
  approvals: Json<EvidenceOnApproval | null>;
}

export interface ActivePoliciesTable {
  project_id: Fixed<string>;
  policy_set: string;
  document: string;
  index: number;
}

export interface ActiveTrustTable {
  project_id: Fixed<string>;
  trust: string;
  /** The snapshots under which a pass still holds: this one and those that it extends. */
  holding: Json<readonly string[]>;
  index: number;
}

export interface TokensTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  /** sha256 of the secret; the secret is never stored. */
  hash: Fixed<Uint8Array>;
  name: Fixed<string>;
  roles: Fixed<string[]>;
  policies: Fixed<string[]>;
  may_choose_policy: Fixed<boolean>;
  created_at: Fixed<number>;
  expires_at: Fixed<number>;
  revoked_at: number | null;
}
