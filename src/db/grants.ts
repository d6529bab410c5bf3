import { escapeIdentifier, escapeLiteral } from "pg";

/** What follows from the log and is never changed: reading and adding only. */
const APPEND_ONLY = [
  "projects",
  "log_entries",
  "log_chain",
  "log_tiles",
  "evidence",
  "documents",
  "attestations",
  "attestation_subjects",
  "containment",
  "rejections",
  "agents",
  "agent_revocations",
  "identities",
  "identity_revocations",
  "holds",
  "hold_releases",
  "expirations",
  "verdict_grounds",
  "would_denials",
];
/** What is forgotten once it has expired. */
const PASSING = ["agent_requests", "used_tokens"];
/** What witnesses were seen to do: asked for again when it is lost. */
const WITNESSING = ["witnesses", "cosigned_checkpoints"];
/** Whose turn it is, of what one node at a time does. */
const LEASES = ["witness_lease", "sweep_lease"];
/** What other trust domains publish: fetched again when it is lost. */
const FETCHED = ["federated_bundles"];
/** What is signed anew when it is lost. */
const SIGNED = ["crls"];
/** Current state, which moves on. Nothing of it is ever deleted. */
const STATE = [
  "verdicts",
  "quarantines",
  "approvals",
  "exceptions",
  "revocations",
  "retention_classes",
  "inventory",
  "active_policies",
  "active_trust",
  "suspensions",
  "tokens",
];

/**
 * SQL that gives the application's role exactly what it needs and takes away anything more. Applied at each
 * migration, so that it holds for a role that is named later or was granted more by hand.
 */
export function grant(role: string): string {
  const app = escapeIdentifier(role);
  const all = [
    "log_head",
    "schema_migrations",
    ...APPEND_ONLY,
    ...PASSING,
    ...WITNESSING,
    ...LEASES,
    ...FETCHED,
    ...SIGNED,
    ...STATE,
  ].join(", ");
  return `
    grant usage on schema public to ${app};
    revoke all on ${all} from ${app}, public;
    grant select on schema_migrations to ${app};
    grant select, update on log_head to ${app};
    grant select, insert on ${APPEND_ONLY.join(", ")} to ${app};
    grant select, insert, delete on ${PASSING.join(", ")} to ${app};
    grant select, update on ${LEASES.join(", ")} to ${app};
    grant select, insert, update, delete on ${[...WITNESSING, ...FETCHED, ...SIGNED].join(", ")} to ${app};
    grant select, insert, update on ${STATE.join(", ")} to ${app};
  `;
}

/** SQL that creates the role when there is none. Roles are the cluster's, so another database may win the race. */
export function ensureRole(role: string, password?: string): string {
  const create = `create role ${escapeIdentifier(role)} ${password === undefined ? "nologin" : `login password ${escapeLiteral(password)}`}`;
  return `do $role$ begin
    if not exists (select from pg_roles where rolname = ${escapeLiteral(role)}) then ${create}; end if;
  exception when duplicate_object or unique_violation then null;
  end $role$`;
}
