import type { Schema } from "../schema.ts";
import type { Projection } from "./rows.ts";

/** What takes rows, given as the text of an SQL expression for a JSON array of them, to their table. */
type Statement = (rows: string) => string;

/** How the rows of each part of a projection are written. All of it is one SQL statement: parts do not see each other. */
export const STATEMENTS: Readonly<Record<keyof Projection, Statement>> = {
  projects: added("projects"),
  suspensions: replaced("suspensions", ["project_id"], ["suspended", "reason", "index"]),
  attestations: added("attestations"),
  attestation_subjects: added("attestation_subjects"),
  containment: added("containment"),
  rejections: added("rejections"),
  verdicts: replaced(
    "verdicts",
    ["project_id", "artifact", "policy"],
    [
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
      "as_of",
      "approvals",
    ],
  ),
  quarantines: added("quarantines"),
  quarantine_liftings: ended("quarantines", "lifted_index"),
  approvals: added("approvals"),
  approval_withdrawals: ended("approvals", "withdrawn_index"),
  exceptions: added("exceptions"),
  exception_withdrawals: ended("exceptions", "withdrawn_index"),
  revocations: added("revocations"),
  revocation_withdrawals: ended("revocations", "withdrawn_index"),
  active_policies: replaced("active_policies", ["project_id"], ["policy_set", "document", "index"]),
  active_trust: (rows) => `
    insert into active_trust
    select t.project_id, t.trust,
           case when t.extends_previous then t.holding || coalesce(before.holding, '[]') else t.holding end, t.index
    from json_to_recordset(${rows}) as t
      (project_id uuid, trust text, holding jsonb, extends_previous boolean, index int8)
    left join active_trust before on before.project_id = t.project_id
    on conflict (project_id) do update set
      trust = excluded.trust, holding = excluded.holding, index = excluded.index`,
  identities: added("identities"),
  identity_revocations: added("identity_revocations"),
  inventory: (rows) => `${added("inventory")(rows)} on conflict (project_id, id) do update set
    last_granted = excluded.last_granted,
    last_renewed = coalesce(excluded.last_renewed, inventory.last_renewed),
    first_end = coalesce(inventory.first_end, excluded.first_end),
    expires_at = excluded.expires_at,
    grants = inventory.grants + excluded.grants,
    kind = excluded.kind, serial = excluded.serial, digests = excluded.digests,
    withdrawn_at = excluded.withdrawn_at, last_index = excluded.last_index`,
  inventory_withdrawals: (rows) => `
    update inventory set withdrawn_at = w.withdrawn_at
    from json_to_recordset(${rows}) as w (project_id uuid, id text, withdrawn_at int8)
    where inventory.project_id = w.project_id and inventory.id = w.id`,
  agents: added("agents"),
  agent_revocations: added("agent_revocations"),
  holds: added("holds"),
  hold_releases: added("hold_releases"),
  retention_classes: replaced("retention_classes", ["project_id", "artifact"], ["class", "index"]),
  expirations: added("expirations"),
  would_denials: added("would_denials"),
  verdict_grounds: (rows) => `${added("verdict_grounds")(rows)} on conflict do nothing`,
};

/** Rows that never change. */
function added(table: keyof Schema): Statement {
  return (rows) => `insert into ${table} select * from json_populate_recordset(null::${table}, ${rows})`;
}

/** Rows of current state, which take the place of those with their key. */
function replaced<T extends keyof Schema>(
  table: T,
  key: readonly (keyof Schema[T] & string)[],
  state: readonly (keyof Schema[T] & string)[],
): Statement {
  const assignments = state.map((column) => `${column} = excluded.${column}`).join(", ");
  return (rows) => `${added(table)(rows)} on conflict (${key.join(", ")}) do update set ${assignments}`;
}

/** What stood since an earlier batch, by its id, ends at the index given. */
function ended<T extends "quarantines" | "approvals" | "exceptions" | "revocations">(
  table: T,
  column: keyof Schema[T] & string,
): Statement {
  return (rows) => `
    update ${table} set ${column} = e.${column}
    from json_to_recordset(${rows}) as e (project_id uuid, id uuid, ${column} int8)
    where ${table}.project_id = e.project_id and ${table}.id = e.id and ${table}.${column} is null`;
}

/**
 * Rows as JSON. Postgres's text holds no NUL: where an attacker's string has one, the row that is searched by
 * gets U+FFFD in its place, and the event's body keeps what was signed.
 */
export function encodeRows(rows: readonly object[]): string {
  const json = JSON.stringify(rows);
  if (!json.includes("\\u0000")) return json;
  return JSON.stringify(rows, (_, value) =>
    typeof value === "string" ? value.replaceAll("\0", "\ufffd") : value,
  );
}
