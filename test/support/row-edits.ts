import type pg from "pg";

/** One change of one row, as a superuser can make it, and the way back. */
export interface RowEdit {
  readonly table: string;
  /** `column NAME`, `delete` or `insert`. */
  readonly what: string;
  apply(): Promise<{ undo(): Promise<void> }>;
}

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly key: boolean;
}

const COLUMNS = `
  select c.relname::text as table, a.attname::text as column, format_type(a.atttypid, null) as type,
    coalesce(a.attnum = any (i.indkey::int2[]), false) as key
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_index i on i.indrelid = c.oid and i.indisprimary
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by c.relname, a.attnum`;

/** Another value of each type that the schema has; a new one must be added here. */
const OTHER: Readonly<Record<string, (column: string) => string>> = {
  smallint: (column) => `coalesce(${column}, 0) + 1000`,
  integer: (column) => `coalesce(${column}, 0) + 1000`,
  bigint: (column) => `coalesce(${column}, 0) + 1000`,
  boolean: (column) => `not coalesce(${column}, false)`,
  uuid: () => "gen_random_uuid()",
  text: (column) => `coalesce(${column}, '') || 'x'`,
  "text[]": (column) => `array_append(${column}, 'x')`,
  jsonb: (column) => `jsonb_build_array(${column})`,
  bytea: (column) =>
    `case when coalesce(length(${column}), 0) = 0 then '\\x00' else set_byte(${column}, 0, get_byte(${column}, 0) # 1) end`,
};

/** Lets a superuser's session edit as he can: triggers and checks are in nobody's way who owns the database. */
export async function unfetter(admin: pg.Client): Promise<void> {
  await admin.query("set session_replication_role = replica");
  const { rows } = await admin.query<{ sql: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as sql
     from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace`,
  );
  for (const { sql } of rows) await admin.query(sql);
}

/**
 * Every edit of one row of every table of the live schema: each column, the row deleted, a copy of it under another
 * key.
 *
 * @param chosen SQL conditions that choose the row, by table; any row otherwise
 * @param number which of those rows; tables that have fewer are passed over
 */
export async function everyRowEdit(
  admin: pg.Client,
  chosen: Readonly<Record<string, string>> = {},
  number = 0,
): Promise<RowEdit[]> {
  const { rows: columns } = await admin.query<Column>(COLUMNS);
  const tables = Map.groupBy(columns, ({ table }) => table);
  const edits: RowEdit[] = [];
  for (const [table, its] of tables) {
    const where = chosen[table] ?? "true";
    if (number > 0 && (await sizeOf(admin, table)) <= number) continue;
    const at = `${where} order by ctid offset ${number}`;
    for (const { column, type } of its)
      edits.push({
        table,
        what: `column ${column}`,
        apply: () => change(admin, table, column, type, number > 0 ? at : where),
      });
    edits.push({ table, what: "delete", apply: () => remove(admin, table, at) });
    edits.push({ table, what: "insert", apply: () => copy(admin, its, at) });
  }
  return edits;
}

async function change(admin: pg.Client, table: string, column: string, type: string, where: string) {
  const other = OTHER[type]?.(`"${column}"`);
  if (other === undefined) throw new Error(`what is another value of the type ${type}?`);
  // The first one that has a value, unless it is said which.
  const at = where.includes(" order by ") ? where : `${where} order by "${column}" is null, ctid`;
  const row = await rowOf(admin, table, at);
  const {
    rows: [{ old }],
  } = await admin.query(`select "${column}"::text as old from "${table}" where ctid = $1`, [row]);
  const set = (value: string, at: string, values: unknown[] = []) =>
    admin.query<{ ctid: string }>(
      `update "${table}" set "${column}" = ${value} where ctid = '${at}' returning ctid::text`,
      values,
    );
  const { rows } = await set(other, row);
  return {
    async undo() {
      await set(`$1::text::${type}`, rows[0]?.ctid ?? "", [old]);
    },
  };
}

async function remove(admin: pg.Client, table: string, where: string) {
  const row = await rowOf(admin, table, where);
  const { rows } = await admin.query(
    `delete from "${table}" where ctid = $1 returning to_jsonb("${table}") as row`,
    [row],
  );
  return {
    async undo() {
      await admin.query(`insert into "${table}" select * from jsonb_populate_record(null::"${table}", $1)`, [
        JSON.stringify(rows[0].row),
      ]);
    },
  };
}

/** The last column of the key alone is another; values of the others that must be unique are their own too. */
async function copy(admin: pg.Client, columns: readonly Column[], where: string) {
  const table = columns[0]?.table ?? "";
  const row = await rowOf(admin, table, where);
  const unique = await uniqueColumns(admin, table);
  const last = columns.findLast(({ key }) => key)?.column;
  const values = columns.map(({ column, type }) =>
    column === last || unique.has(column) ? `(${OTHER[type]?.(`"${column}"`)})::${type}` : `"${column}"`,
  );
  const { rows } = await admin.query<{ ctid: string }>(
    `insert into "${table}" select ${values.join(", ")} from "${table}" where ctid = $1 returning ctid::text`,
    [row],
  );
  return {
    async undo() {
      await admin.query(`delete from "${table}" where ctid = $1`, [rows[0]?.ctid]);
    },
  };
}

async function sizeOf(admin: pg.Client, table: string): Promise<number> {
  const { rows } = await admin.query<{ count: string }>(`select count(*) from "${table}"`);
  return Number(rows[0]?.count);
}

/** Of each unique constraint besides the key, the last column: with another value there the rest may be the same. */
async function uniqueColumns(admin: pg.Client, table: string): Promise<Set<string>> {
  const { rows } = await admin.query<{ column: string }>(
    `select a.attname::text as column from pg_index i join pg_attribute a on a.attrelid = i.indrelid
       and a.attnum = i.indkey[i.indnkeyatts - 1] where i.indrelid = $1::regclass and i.indisunique and not i.indisprimary`,
    [`"${table}"`],
  );
  return new Set(rows.map(({ column }) => column));
}

async function rowOf(admin: pg.Client, table: string, where: string): Promise<string> {
  const { rows } = await admin.query<{ ctid: string }>(
    `select ctid::text from "${table}" where ${where} limit 1`,
  );
  const [row] = rows;
  if (row === undefined)
    throw new Error(`${table} has no row to edit: let test/support/full-log.ts make one`);
  return row.ctid;
}
