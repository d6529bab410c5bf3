import type { Query } from "../connection.ts";
import { STATEMENTS } from "../projections/statements.ts";

/** A table that follows from the log, and its twin in this session that is filled from the log's events. */
export interface Twin {
  readonly table: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
}

/** A transaction that reads the database as of one moment and writes to nothing but temporary tables. */
export interface Inspection {
  readonly query: Query;
  /** A table of the database itself. Its bare name is the twin's. */
  stored(table: string): string;
  readonly twins: readonly Twin[];
  /** What stands under the name of a table that follows from the log, and can have no twin: no table, or one without its primary key. */
  readonly unlike: readonly string[];
}

/** Tables of which each row is named by an event, besides those that `STATEMENTS` fill. */
const NAMED = ["log_chain", "evidence", "documents"];

/** What was put in force by which event: policies (`[{name, hash}]`) or trust, the other being null. */
const ACTIVATIONS = "activations (project_id uuid, index int8, policies jsonb, trust text)";

/**
 * Makes an empty twin, under the same name, of each table that follows from the log. Temporary tables come first
 * in the search path, so that the statements by which nodes write these tables write their twins here. From then on
 * Postgres itself refuses writes to anything else; the twins are gone with the transaction.
 *
 * To be called before any other statement of the transaction.
 */
export async function beginInspection(query: Query): Promise<Inspection> {
  await query("set transaction isolation level repeatable read");
  const [{ schema } = { schema: "public" }] = await query<{ schema: string }>(
    "select quote_ident(current_schema()) as schema",
  );
  const names = [...NAMED, ...Object.keys(STATEMENTS)];
  const twins = await query<Twin>(TWINS, [names]);
  const found = await query<{ name: string }>(RELATIONS, [names]);
  const unlike = found.flatMap(({ name }) => (twins.some(({ table }) => table === name) ? [] : [name]));
  for (const { table, key } of twins) {
    await query(
      `create temp table ${table} (like ${schema}.${table} including constraints, primary key (${key.join(", ")})) on commit drop`,
    );
  }
  await query(`create temp table ${ACTIVATIONS} on commit drop`);
  await query("set transaction read only");
  return { query, twins, unlike, stored: (table) => `${schema}.${table}` };
}

const RELATIONS = `
  select relname::text as name from pg_class
  where relnamespace = current_schema()::regnamespace and relname = any ($1::text[]) order by relname`;

/** The tables of these names that there are, with their columns and the primary key, quoted. */
const TWINS = `
  select c.relname::text as table,
    (select array_agg(quote_ident(a.attname) order by a.attnum) from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    (select array_agg(quote_ident(a.attname) order by k.place)
      from unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
      join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum) as key
  from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
  where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relname = any ($1::text[])
  order by c.relname`;
