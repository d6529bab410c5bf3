import type { Finding } from "../../custody/fsck-findings.ts";
import { DEFAULT_PROJECT } from "../../identity/project-name.ts";
import type { Inspection, Twin } from "./inspection.ts";

/** Rows of one table that are told of at most; what is beyond is not looked for. */
const MOST = 100;
/** Characters of a value that are told. */
const SHOWN = 80;

/**
 * Every difference between the tables that follow from the log and their twins, which were filled from a log of
 * this size: rows that are missing, rows that no event gives, and values that are others.
 */
export async function differences(inspection: Inspection, size: number): Promise<Finding[]> {
  await takeDefault(inspection);
  await takeConfirmations(inspection, size);
  await takeExpirations(inspection);
  const problem = "it is no table, or has no primary key: what nodes read of it was not checked";
  const findings = inspection.unlike.map((table): Finding => ({ table, key: "every row", problem }));
  for (const twin of inspection.twins) findings.push(...(await compare(inspection, twin)));
  return findings;
}

type Json = Readonly<Record<string, unknown>>;

async function compare({ query, stored }: Inspection, twin: Twin): Promise<Finding[]> {
  const { table, key } = twin;
  // Bytes are held to their ids where they are read; here, to whether they may be gone.
  const columns = twin.columns
    .map((column) => (column === "bytes" ? 'bytes is null as "bytes are gone"' : column))
    .join(", ");
  const order = key.join(", ");
  // Whole rows, and as often as they are there: nothing depends on the table's own constraints being in force.
  const only = async (from: string, butNot: string) => {
    const sql = `select to_jsonb(d) as row from (
        select ${columns} from ${from} except all select ${columns} from ${butNot} order by ${order} limit ${MOST}
      ) as d`;
    return (await query<{ row: Json }>(sql)).map(({ row }) => row);
  };
  const twins = `pg_temp.${table}`;
  const expected = await only(twins, stored(table));
  const found = await only(stored(table), twins);
  const nameOf = (row: Json) => key.map((column) => `${column} ${shown(row[unquoted(column)])}`).join(", ");
  const byName = new Map(expected.map((row) => [nameOf(row), row]));
  const findings = found.map((row): Finding => {
    const name = nameOf(row);
    const wanted = byName.get(name);
    byName.delete(name);
    const problem = wanted === undefined ? "no event gives this row" : differing(row, wanted);
    return { table, key: name, problem };
  });
  for (const name of byName.keys())
    findings.push({ table, key: name, problem: "the row that its event gives is missing" });
  return findings;
}

/** In words; a row that is there twice differs in nothing. */
function differing(found: Json, expected: Json): string {
  const columns = Object.keys(expected).filter(
    (column) => JSON.stringify(found[column]) !== JSON.stringify(expected[column]),
  );
  if (columns.length === 0) return "the row is there more than once";
  return columns
    .map((column) => `${column} is ${shown(found[column])}, and the log gives ${shown(expected[column])}`)
    .join("; ");
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "missing");
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
}

/**
 * A verdict that came out the same from newer inputs is confirmed in its row, and in no event (docs/decisions/0005).
 * Its twin takes over what a confirmation changes, where that is what was in force and known at the size that it names.
 */
async function takeConfirmations({ query, stored }: Inspection, size: number): Promise<void> {
  await query(
    `with wide as materialized (
       select *, lead(index, 1, $1::int8) over (partition by project_id, trust is null order by index) as next
       from activations
     ), confirmed as (
       select v.* from ${stored("verdicts")} v
       join wide p on p.project_id = v.project_id and v.as_of > p.index and v.as_of <= p.next
         and p.policies @> jsonb_build_array(jsonb_build_object('name', v.policy, 'hash', v.policy_hash))
       join wide t on t.project_id = v.project_id and v.as_of > t.index and v.as_of <= t.next
         and t.trust = v.trust_hash
       where v.as_of > v.index and v.evidence_set = 'sha256:' || encode(sha256(convert_to(coalesce((
         select string_agg(a.id, E'\\n' order by a.id collate "C")
         from attestation_subjects s join attestations a on a.project_id = s.project_id and a.id = s.attestation
         where s.project_id = v.project_id and s.digest = v.artifact and a.index < v.as_of and not exists (
           select from expirations x
           where x.project_id = a.project_id and x.attestation = a.id and x.index < v.as_of
         )
       ), ''), 'UTF8')), 'hex')
     )
     update verdicts twin set policy_hash = c.policy_hash, trust_hash = c.trust_hash,
       evidence_set = c.evidence_set, as_of = c.as_of
     from confirmed c
     where twin.project_id = c.project_id and twin.artifact = c.artifact and twin.policy = c.policy
       and twin.index = c.index`,
    [size],
  );
}

/** The bytes of evidence go with the row of its expiration, by a trigger that its twin does not have. */
async function takeExpirations({ query }: Inspection): Promise<void> {
  await query(
    `update evidence set bytes = null from expirations x
     where x.project_id = evidence.project_id and x.attestation = evidence.id`,
  );
}

/** The installation's own project is made by the first start, and by no event. */
async function takeDefault({ query, stored }: Inspection): Promise<void> {
  await query(
    `insert into projects select * from ${stored("projects")} where name = $1 on conflict do nothing`,
    [DEFAULT_PROJECT],
  );
}
