import type { Inspection } from "./inspection.ts";
import type { NamedBytes } from "./replay.ts";

/** Bytes read at once, unless one row alone has more. */
const AT_ONCE = 8 * 1024 * 1024;

/** The stored bytes of what is named, a few at a time, in any order. What is not stored does not come. */
export async function* readNamedBytes(
  inspection: Inspection,
  named: readonly NamedBytes[],
): AsyncGenerator<NamedBytes & { readonly bytes: Uint8Array }> {
  for (const table of ["evidence", "documents"] as const) {
    const wanted = named.filter((one) => one.table === table);
    for (const group of groups(await lengths(inspection, table, wanted))) {
      for (const { project, id, bytes } of await rows<{ bytes: Uint8Array }>(
        inspection,
        table,
        group,
        "t.bytes",
      ))
        yield { table, project, id, bytes };
    }
  }
}

type Row<Column> = NamedBytes & Column;

function lengths(inspection: Inspection, table: NamedBytes["table"], wanted: readonly NamedBytes[]) {
  return rows<{ length: number }>(inspection, table, wanted, "octet_length(t.bytes) as length");
}

async function rows<Column>(
  { query, stored }: Inspection,
  table: NamedBytes["table"],
  wanted: readonly NamedBytes[],
  column: string,
): Promise<Row<Column>[]> {
  if (wanted.length === 0) return [];
  const id = table === "evidence" ? "id" : "hash";
  return query(
    `select t.project_id as project, t.${id} as id, ${column} from ${stored(table)} t
     join (select distinct * from unnest($1::uuid[], $2::text[])) as wanted (project, id)
       on t.project_id = wanted.project and t.${id} = wanted.id
     where t.bytes is not null`,
    [wanted.map(({ project }) => project), wanted.map((one) => one.id)],
  );
}

function* groups(rows: readonly Row<{ length: number }>[]): Generator<NamedBytes[]> {
  let group: NamedBytes[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (group.length > 0 && bytes + row.length > AT_ONCE) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(row);
    bytes += row.length;
  }
  if (group.length > 0) yield group;
}
