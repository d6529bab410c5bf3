import { type Kysely, sql } from "kysely";
import { EVENT_TYPES, INSTALLATION, type ProjectId, RECORDS } from "../custody/events.ts";
import type { Schema } from "./schema.ts";

// Which projects there is something to do for: one question for all of them, however many there are.

const RETIRED = EVENT_TYPES["authority.retired"];
const SILENT = RECORDS.map((type) => EVENT_TYPES[type]);

interface Row {
  readonly id: ProjectId;
}

/** Those with passes that have ended at `now`. */
export async function withEndedVerdicts(db: Kysely<Schema>, now: number): Promise<ProjectId[]> {
  const { rows } = await sql<Row>`
    select p.id from projects p where exists (
      select from verdicts v where v.project_id = p.id and v.outcome = 'passed' and v.valid_until <= ${now}
    ) order by p.id`.execute(db);
  return rows.map(({ id }) => id);
}

/** Those with identities that have not expired at `now`. */
export async function withIdentities(db: Kysely<Schema>, now: number): Promise<ProjectId[]> {
  const { rows } = await sql<Row>`
    select p.id from projects p where exists (
      select from identities i where i.project_id = p.id and i.expires_at > ${now}
    ) order by p.id`.execute(db);
  return rows.map(({ id }) => id);
}

/**
 * Those with identities that have not expired at `now`, of which something was logged from this index on that these may rest on;
 * `everywhere`: it was something of the installation's.
 */
export async function movedSince(
  db: Kysely<Schema>,
  from: number,
  now: number,
): Promise<{ readonly projects: readonly ProjectId[]; readonly everywhere: boolean }> {
  const { rows } = await sql<Row>`
    select m.id from (
      select distinct project_id as id from log_entries
      where index >= ${from}
        and case when project_id = ${INSTALLATION} then type = ${RETIRED} else type <> all (${SILENT}::int2[]) end
    ) m
    where m.id = ${INSTALLATION} or exists (
      select from identities i where i.project_id = m.id and i.expires_at > ${now}
    )`.execute(db);
  return {
    projects: rows.flatMap(({ id }) => (id === INSTALLATION ? [] : id)),
    everywhere: rows.some(({ id }) => id === INSTALLATION),
  };
}

/** The policy document that is in force in each project, and whether the bundle of another trust domain is due to be fetched for it. */
export async function federationStates(
  db: Kysely<Schema>,
): Promise<readonly { readonly project: ProjectId; readonly document: string; readonly isDue: boolean }[]> {
  const { rows } = await sql<{ project: ProjectId; document: string; isDue: boolean }>`
    select a.project_id as project, a.document, exists (
      select from federated_bundles b where b.project_id = a.project_id and b.due_at <= clock_timestamp()
    ) as "isDue"
    from active_policies a`.execute(db);
  return rows;
}
