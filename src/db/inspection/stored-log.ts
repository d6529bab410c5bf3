import type { StoredEntry } from "../../custody/fsck-entries.ts";
import type { StoredHead } from "../../custody/fsck-tree.ts";
import type { FullTile } from "../../tlog/tiles.ts";
import type { Query } from "../connection.ts";
import type { Inspection } from "./inspection.ts";

// The log's own rows as they are, for who believes none of them. What may be any int8 is read as text.

export function readStoredHeads(query: Query): Promise<StoredHead[]> {
  return query("select size::text, root, peaks, time::text, checkpoint from log_head");
}

/** At most `limit` entries of [from, below) in the order of their indexes; between them some may be missing. */
export function readStoredEntries(
  query: Query,
  from: number,
  below: number,
  limit: number,
): Promise<StoredEntry[]> {
  return query(
    `select index, project_id as project, type, time::text, leaf, leaf_hash as "leafHash", salt, body
     from log_entries where index >= $1 and index < $2 order by index limit $3`,
    [from, below, limit],
  );
}

/** Which of these tiles are stored. */
export function readStoredTiles(query: Query, tiles: readonly FullTile[]): Promise<FullTile[]> {
  if (tiles.length === 0) return Promise.resolve([]);
  return query(
    `select t.level, t.tile, t.hashes, t.root from log_tiles t
     join unnest($1::int[], $2::int8[]) as wanted (level, tile) on t.level = wanted.level and t.tile = wanted.tile`,
    [tiles.map(({ level }) => level), tiles.map(({ tile }) => tile)],
  );
}

/** One past the largest index that there is. */
export async function readEnd(query: Query): Promise<string> {
  const [row] = await query<{ end: string }>(
    "select (coalesce(max(index), -1)::numeric + 1)::text as end from log_entries",
  );
  return row?.end ?? "0";
}

/** A few entries and tiles that a tree of this size cannot have, by where they say that they are. */
export async function readStrays(
  query: Query,
  size: number,
  most: number,
): Promise<{ readonly table: string; readonly key: string }[]> {
  return query(
    `(select 'log_entries' as table, format('index %s', index) as key from log_entries
      where index < 0 or index >= $1 order by index limit $2)
     union all
     (select 'log_tiles', format('level %s, tile %s', level, tile) from log_tiles
      where level < 0 or tile < 0 or tile >= floor($1::numeric / 256::numeric ^ (level + 1)) order by level, tile limit $2)`,
    [size, most],
  );
}

/** Projects that events are of and that have no row. */
export async function readMissingProjects(
  { query, stored }: Inspection,
  installation: string,
): Promise<string[]> {
  const rows = await query<{ project: string }>(
    `select distinct e.project_id as project from log_entries e
     where e.project_id <> $1 and not exists (select from ${stored("projects")} p where p.id = e.project_id) limit 100`,
    [installation],
  );
  return rows.map(({ project }) => project);
}
