import type { Query } from "../connection.ts";

/** How a database is set up, as the session of this role sees it. */
export interface DatabaseSetup {
  /** E.g. `16.4`. */
  readonly version: string;
  /** E.g. 160004. */
  readonly number: number;
  readonly fsync: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly role: string;
  readonly isSuperuser: boolean;
  /** Whether the role may change or delete what the log holds. */
  readonly mayChangeLog: boolean;
  /** Whether it owns the log's tables, and so may give itself that right. */
  readonly ownsLog: boolean;
  /** Bytes on the disk. */
  readonly size: number;
  readonly maxConnections: number;
}

export async function examineDatabase(query: Query): Promise<DatabaseSetup> {
  const [setup] = await query<DatabaseSetup>(SETUP);
  if (setup === undefined) throw new RangeError("a query without a row");
  return setup;
}

const SETUP = `
  select current_setting('server_version') as version,
    current_setting('server_version_num')::int4 as number,
    current_setting('fsync') = 'on' as fsync,
    (extract(epoch from clock_timestamp()) * 1000)::float8 as now,
    current_user::text as role,
    (select rolsuper from pg_roles where rolname = current_user) as "isSuperuser",
    has_table_privilege('log_entries', 'update, delete, truncate') as "mayChangeLog",
    (select pg_has_role(relowner, 'usage') from pg_class where oid = 'log_entries'::regclass) as "ownsLog",
    pg_database_size(current_database())::float8 as size,
    current_setting('max_connections')::int4 as "maxConnections"`;
