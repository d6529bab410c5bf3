import type { ChainKey, ProjectId } from "../../custody/events.ts";
import type { Finding } from "../../custody/fsck-findings.ts";
import type { LogEntry } from "../../custody/log-store.ts";
import { projectEvents } from "../projections/project-events.ts";
import type { Projection, Row } from "../projections/rows.ts";
import { encodeRows, STATEMENTS } from "../projections/statements.ts";
import type { Inspection } from "./inspection.ts";

/** What of an entry its rows are derived from. */
export type Replayed = Pick<LogEntry, "index" | "project" | "time" | "draft">;

/**
 * Fills the twins with what follows from entries, in the order of the log, by the projectors and statements that
 * nodes write with. Gives a finding for each entry of which nothing can be derived.
 */
export async function replay(
  inspection: Inspection,
  entries: readonly Replayed[],
): Promise<readonly Finding[]> {
  if (entries.length === 0) return [];
  await add(
    inspection,
    "log_chain",
    entries.flatMap(({ project, index, draft }) =>
      draft.about.map((key) => ({ project_id: project, key, index })),
    ),
  );
  return derive(inspection, entries);
}

/** Of a batch that fails the halves are tried on their own, so that the culprit is named and the others counted. */
async function derive(inspection: Inspection, entries: readonly Replayed[]): Promise<readonly Finding[]> {
  const { query } = inspection;
  await query("savepoint derived");
  try {
    await deriveAll(inspection, entries);
    await query("release savepoint derived");
    return [];
  } catch (error) {
    await query("rollback to savepoint derived");
    const [first] = entries;
    if (entries.length > 1) {
      const middle = Math.ceil(entries.length / 2);
      const left = await derive(inspection, entries.slice(0, middle));
      return [...left, ...(await derive(inspection, entries.slice(middle)))];
    }
    const why = error instanceof Error ? error.message : String(error);
    return [
      { table: "log_entries", key: `index ${first?.index}`, problem: `no rows follow from it: ${why}` },
    ];
  }
}

async function deriveAll(inspection: Inspection, entries: readonly Replayed[]): Promise<void> {
  const named = namedIn(entries);
  await add(inspection, "evidence", named.evidence);
  await add(inspection, "documents", named.documents, "on conflict do nothing");
  await add(inspection, "activations", activationsIn(entries));
  const rows = projectEvents(entries as readonly LogEntry[]);
  for (const part of Object.keys(STATEMENTS) as (keyof Projection)[]) {
    const some = [...rows[part].values()];
    if (some.length > 0) await inspection.query(STATEMENTS[part]("$1"), [encodeRows(some)]);
  }
}

async function add(
  { query }: Inspection,
  table: string,
  rows: readonly object[],
  otherwise = "",
): Promise<void> {
  if (rows.length === 0) return;
  await query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1) ${otherwise}`, [
    encodeRows(rows),
  ]);
}

/** Bytes that an entry names by their sha256. */
export interface NamedBytes {
  readonly table: "evidence" | "documents";
  readonly project: ProjectId;
  readonly id: string;
}

/** What these entries name, as rows of `evidence` and `documents` without their bytes. */
function namedIn(entries: readonly Replayed[]): { evidence: Row[]; documents: Row[] } {
  const evidence: Row[] = [];
  const documents: Row[] = [];
  for (const { project, index, draft } of entries) {
    const { attestation, mediaType, document, trust, manifest } = draft.body;
    const add = (kind: string, hash: unknown) =>
      documents.push({ project_id: project, hash, kind, bytes: "\\x" });
    switch (draft.type) {
      case "evidence.accepted":
        evidence.push({ project_id: project, id: attestation, media_type: mediaType, bytes: "\\x", index });
        break;
      case "policy.activated":
        add("policy", document);
        break;
      case "trust.activated":
        add("trust", trust);
        break;
      case "containment.recorded":
        add("manifest", manifest);
        break;
      default:
    }
  }
  return { evidence, documents };
}

/** By which a verdict that was confirmed since is held to what was in force. */
function activationsIn(entries: readonly Replayed[]): Row[] {
  return entries.flatMap(({ project, index, draft: { type, body } }): Row[] => {
    if (type === "policy.activated") return [{ project_id: project, index, policies: body.policies }];
    if (type === "trust.activated") return [{ project_id: project, index, trust: body.trust }];
    return [];
  });
}

export function namedBytes(entries: readonly Replayed[]): NamedBytes[] {
  const { evidence, documents } = namedIn(entries);
  const named = [
    ...evidence.map(({ project_id, id }) => ({ table: "evidence", project: project_id, id })),
    ...documents.map(({ project_id, hash }) => ({ table: "documents", project: project_id, id: hash })),
  ];
  return named as NamedBytes[];
}

/** The last index of each of these chains among the entries replayed so far, by `chainName`'s arguments. */
export async function chainEnds(
  { query }: Inspection,
  chains: readonly { readonly project: ProjectId; readonly key: ChainKey }[],
): Promise<(number | null)[]> {
  if (chains.length === 0) return [];
  const rows = await query<{ last: number | null }>(
    `select (
       select c.index from log_chain c where c.project_id = wanted.project_id and c.key = wanted.key
       order by c.index desc limit 1
     ) as last
     from unnest($1::uuid[], $2::text[]) with ordinality as wanted (project_id, key, place) order by wanted.place`,
    [chains.map(({ project }) => project), chains.map(({ key }) => key)],
  );
  return rows.map(({ last }) => last);
}
