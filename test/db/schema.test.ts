import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { before, it } from "node:test";
import { CompiledQuery } from "kysely";
import type { Database } from "../../src/db/connection.ts";
import { forEachDatabase } from "../support/databases.ts";

const GOLDEN = new URL("../../testdata/schema.golden.txt", import.meta.url);

/** Each query gives lines of text; together they are all that a migration could change. */
const CATALOG = [
  `select format('%s.%s %s%s%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                case when a.attnotnull then ' not null' else '' end,
                coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''),
                case a.attstorage when 'e' then 'external' else '' end) as line
   from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by c.relname, a.attnum`,
  `select format('constraint %s.%s %s', c.relname, k.conname, pg_get_constraintdef(k.oid)) as line
   from pg_constraint k join pg_class c on c.oid = k.conrelid
   where c.relnamespace = 'public'::regnamespace and k.contype <> 'n' order by 1`,
  "select indexdef as line from pg_indexes where schemaname = 'public' order by 1",
  `select pg_get_triggerdef(t.oid) as line
   from pg_trigger t join pg_class c on c.oid = t.tgrelid
   where c.relnamespace = 'public'::regnamespace and not t.tgisinternal order by 1`,
  "select prosrc as line from pg_proc where pronamespace = 'public'::regnamespace order by proname",
  `select format('application may %s %s', string_agg(lower(a.privilege_type), ', ' order by a.privilege_type), c.relname) as line
   from pg_class c cross join aclexplode(c.relacl) a
   where c.relnamespace = 'public'::regnamespace and a.grantee = current_user::regrole
   group by c.relname order by c.relname`,
];

forEachDatabase("the schema", (create) => {
  let database: Database;
  before(async () => {
    database = await (await create()).open();
  });

  it("is the one in testdata/schema.golden.txt (UPDATE_GOLDEN=1 rewrites it)", async () => {
    const lines: string[] = [];
    for (const sql of CATALOG) {
      const { rows } = await database.kysely.executeQuery<{ line: string }>(CompiledQuery.raw(sql));
      lines.push(...rows.map(({ line }) => line.trim()), "");
    }
    const schema = lines.join("\n");
    if (process.env.UPDATE_GOLDEN === "1") await writeFile(GOLDEN, schema);
    assert.equal(schema, await readFile(GOLDEN, "utf8"));
  });
});
