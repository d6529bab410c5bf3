import type { Kysely } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Database } from "./connection.ts";
import type { Schema } from "./schema.ts";

/** What is known of another trust domain's bundle endpoint. Times in milliseconds since the epoch. */
export interface FederatedBundleRecord {
  readonly trustDomain: string;
  /** Hash of what the policies say of it: what was fetched under another one counts for nothing. */
  readonly relationship: string;
  /** A SPIFFE bundle document; null until the first fetch. */
  readonly bundle: string | null;
  readonly sequence: number | null;
  readonly fetchedAt: number | null;
  readonly trouble: string | null;
  readonly troubledAt: number | null;
}

export async function readFederatedBundles(
  db: Kysely<Schema>,
  project: ProjectId,
): Promise<FederatedBundleRecord[]> {
  return db
    .selectFrom("federated_bundles")
    .select([
      "trust_domain as trustDomain",
      "relationship",
      "bundle",
      "sequence",
      "fetched_at as fetchedAt",
      "trouble",
      "troubled_at as troubledAt",
    ])
    .where("project_id", "=", project)
    .execute();
}

/** Of which trust domain, under which relationship. */
export interface Relationship {
  readonly project: ProjectId;
  readonly trustDomain: string;
  readonly relationship: string;
}

/**
 * Takes the turn to fetch a bundle, for some seconds by the database's clock. False: it is not due, or another node has
 * it. Under another relationship than before it is due at once, and what was fetched before is dropped.
 */
export async function claimFetch(
  database: Database,
  { project, trustDomain, relationship }: Relationship,
  seconds: number,
): Promise<boolean> {
  return database.transaction(async (query) => {
    const rows = await query(
      `insert into federated_bundles as known (project_id, trust_domain, relationship, due_at)
       values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
       on conflict (project_id, trust_domain) do update set
         due_at = excluded.due_at,
         relationship = excluded.relationship,
         bundle = case when known.relationship = $3 then known.bundle end,
         sequence = case when known.relationship = $3 then known.sequence end,
         fetched_at = case when known.relationship = $3 then known.fetched_at end,
         trouble = case when known.relationship = $3 then known.trouble end,
         troubled_at = case when known.relationship = $3 then known.troubled_at end
       where known.due_at <= clock_timestamp() or known.relationship <> $3
       returning 1`,
      [project, trustDomain, relationship, seconds],
    );
    return rows.length > 0;
  });
}

/** Keeps a bundle, unless another node has kept a newer one meanwhile; the next fetch is due after some seconds. */
export async function keepFederatedBundle(
  database: Database,
  { project, trustDomain, relationship }: Relationship,
  fetched: { readonly bundle: string; readonly sequence: number | null; readonly fetchedAt: number },
  seconds: number,
): Promise<void> {
  await database.transaction((query) =>
    query(
      `update federated_bundles set bundle = $4, sequence = $5, fetched_at = $6, trouble = null, troubled_at = null,
         due_at = clock_timestamp() + make_interval(secs => $7)
       where project_id = $1 and trust_domain = $2 and relationship = $3 and (sequence is null or sequence <= $5)`,
      [project, trustDomain, relationship, fetched.bundle, fetched.sequence, fetched.fetchedAt, seconds],
    ),
  );
}

/** Keeps what went wrong beside the bundle of before; the next fetch is due after some seconds. */
export async function keepTrouble(
  database: Database,
  { project, trustDomain, relationship }: Relationship,
  { trouble, troubledAt }: { readonly trouble: string; readonly troubledAt: number },
  seconds: number,
): Promise<void> {
  await database.transaction((query) =>
    query(
      `update federated_bundles set trouble = $4, troubled_at = $5, due_at = clock_timestamp() + make_interval(secs => $6)
       where project_id = $1 and trust_domain = $2 and relationship = $3`,
      [project, trustDomain, relationship, trouble, troubledAt, seconds],
    ),
  );
}

/** Forgets the bundles of trust domains that are not among these. */
export async function dropOtherBundles(
  db: Kysely<Schema>,
  project: ProjectId,
  trustDomains: readonly string[],
): Promise<void> {
  let deletion = db.deleteFrom("federated_bundles").where("project_id", "=", project);
  if (trustDomains.length > 0) deletion = deletion.where("trust_domain", "not in", trustDomains);
  await deletion.execute();
}
