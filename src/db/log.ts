import { CompiledQuery, type Kysely, type Selectable, sql } from "kysely";
import { decodeBody } from "../custody/body.ts";
import {
  type ChainKey,
  EVENT_TYPES,
  type EventType,
  type LogEvent,
  type ProjectId,
} from "../custody/events.ts";
import { decodeLeaf } from "../custody/leaf.ts";
import type { LogHead } from "../custody/log-store.ts";
import { VouchsafeError } from "../errors.ts";
import { decodeFrontier } from "../tlog/frontier.ts";
import { rememberingTiles } from "../tlog/remembering-tiles.ts";
import { TILE_WIDTH, type Tile, type TileReader } from "../tlog/tiles.ts";
import type { LogHeadTable, Schema } from "./schema.ts";

export async function readHead(db: Kysely<Schema>): Promise<LogHead> {
  return headOf(await db.selectFrom("log_head").selectAll().executeTakeFirstOrThrow());
}

/** Throws `log-inconsistent` when the row's peaks cannot be those of its size. */
export function headOf(row: Selectable<Omit<LogHeadTable, "only">>): LogHead {
  try {
    const { size, peaks } = decodeFrontier(row.size, row.peaks);
    return { size, peaks, root: row.root, time: row.time, checkpoint: row.checkpoint };
  } catch (cause) {
    throw new VouchsafeError("log-inconsistent", "The log's head does not fit its size", { cause });
  }
}

export interface ChainPage {
  /** Only events from this index on. */
  readonly from?: number;
  /** Only events below this index: the chain as of a log size. */
  readonly below?: number;
  /** Only events of these types. */
  readonly types?: readonly EventType[];
  readonly limit?: number;
}

/** Events of a chain in the order of the log. */
export async function readChain(
  db: Kysely<Schema>,
  project: ProjectId,
  key: ChainKey,
  page: ChainPage = {},
): Promise<LogEvent[]> {
  let query = db
    .selectFrom("log_chain as chain")
    .innerJoin("log_entries as entry", "entry.index", "chain.index")
    .select(EVENT_COLUMNS)
    .where("chain.project_id", "=", project)
    .where("chain.key", "=", key);
  if (page.from !== undefined) query = query.where("chain.index", ">=", page.from);
  if (page.below !== undefined) query = query.where("chain.index", "<", page.below);
  if (page.types !== undefined) query = query.where("entry.type", "in", numbersOf(page.types));
  if (page.limit !== undefined) query = query.limit(page.limit);
  return (await query.orderBy("chain.index").execute()).map(eventOf);
}

/** Event types as columns have them. */
export function numbersOf(types: readonly EventType[]): number[] {
  return types.map((type) => EVENT_TYPES[type]);
}

/** The first `limit` events of any of these chains in a range of indexes, in the order of the log, each once. */
export async function readChains(
  db: Kysely<Schema>,
  project: ProjectId,
  keys: readonly ChainKey[],
  { from, below, limit }: Required<Omit<ChainPage, "types">>,
): Promise<LogEvent[]> {
  // Each chain's own first events by its index, and no more: chains can be long, and there can be many.
  const { rows } = await sql<EventRow>`
    select entry.index, entry.salt, entry.body, entry.leaf
    from (
      select distinct chained.index
      from unnest(${keys}::text[]) as wanted (key)
      cross join lateral (
        select chain.index from log_chain chain
        where chain.project_id = ${project} and chain.key = wanted.key
          and chain.index >= ${from} and chain.index < ${below}
        order by chain.index limit ${limit}
      ) chained
      order by chained.index limit ${limit}
    ) chosen
    join log_entries entry on entry.index = chosen.index
    order by entry.index`.execute(db);
  return rows.map(eventOf);
}

/** The events with these indexes as far as they are the project's, in the order of the log. */
export async function readEvents(
  db: Kysely<Schema>,
  project: ProjectId,
  indexes: readonly number[],
): Promise<LogEvent[]> {
  const rows = await db
    .selectFrom("log_entries as entry")
    .select(EVENT_COLUMNS)
    .where("entry.project_id", "=", project)
    .where((where) => where("entry.index", "=", where.fn.any(where.val([...indexes]))))
    .orderBy("entry.index")
    .execute();
  return rows.map(eventOf);
}

/** Which of these indexes are events of the project. */
export async function readIndexes(
  db: Kysely<Schema>,
  project: ProjectId,
  indexes: readonly number[],
): Promise<number[]> {
  const rows = await db
    .selectFrom("log_entries")
    .select("index")
    .where("project_id", "=", project)
    .where((where) => where("index", "=", where.fn.any(where.val([...indexes]))))
    .execute();
  return rows.map(({ index }) => index);
}

/** What a follower of the log needs of an event: which chains moved. */
export interface FollowedEvent {
  readonly index: number;
  readonly project: ProjectId;
  readonly type: EventType;
  readonly about: readonly ChainKey[];
}

/** At most `limit` events of all projects from `index` on, without a gap. */
export async function readEventsFrom(
  db: Kysely<Schema>,
  index: number,
  limit: number,
): Promise<FollowedEvent[]> {
  const rows = await db
    .selectFrom("log_entries as entry")
    .select(EVENT_COLUMNS)
    .where("entry.index", ">=", index)
    .orderBy("entry.index")
    .limit(limit)
    .execute();
  return rows.map((row) => {
    const { index, project, type, about } = eventOf(row);
    return { index, project, type, about };
  });
}

/** The leaves [from, to), for entry bundles. */
export async function readLeaves(db: Kysely<Schema>, from: number, to: number): Promise<Uint8Array[]> {
  const rows = await db
    .selectFrom("log_entries")
    .select("leaf")
    .where("index", ">=", from)
    .where("index", "<", to)
    .orderBy("index")
    .execute();
  return rows.map(({ leaf }) => leaf);
}

/** Of each database one, so that what it remembers serves every proof. */
const readers = new WeakMap<Kysely<Schema>, TileReader>();

/**
 * Reads tiles and partial tiles from stored rows; nothing is hashed. Remembers upper tiles. Throws `log-inconsistent`
 * for missing rows.
 */
export function tileReader(db: Kysely<Schema>): TileReader {
  const known = readers.get(db);
  if (known !== undefined) return known;
  const reader = rememberingTiles((tiles) =>
    readTiles(
      tiles,
      async (text, values) => (await db.executeQuery<TileRow>(CompiledQuery.raw(text, [...values]))).rows,
    ),
  );
  readers.set(db, reader);
  return reader;
}

export interface TileRow {
  readonly hashes: Uint8Array | null;
}

/** The tiles asked for, by whatever runs a statement. */
export async function readTiles(
  tiles: readonly Tile[],
  query: (text: string, values: readonly unknown[]) => Promise<readonly TileRow[]>,
): Promise<Uint8Array[]> {
  if (tiles.length === 0) return [];
  const rows = await query(READ_TILES, [
    tiles.map(({ level }) => level),
    tiles.map(({ tile }) => tile),
    tiles.map(({ width }) => width),
  ]);
  return tiles.map(({ level, tile, width }, i) => {
    const hashes = rows[i]?.hashes ?? new Uint8Array(0);
    if (hashes.length === width * 32) return hashes;
    throw new VouchsafeError("log-inconsistent", `Tile ${tile} of level ${level} is not stored in full`);
  });
}

/** A partial tile has no row of its own: it is the leaf hashes, or the roots of the full tiles, that it spans. */
const READ_TILES = `
  select case
    when wanted.width = ${TILE_WIDTH} then
      (select t.hashes from log_tiles t where t.level = wanted.level and t.tile = wanted.tile)
    when wanted.level = 0 then
      (select string_agg(e.leaf_hash, ''::bytea order by e.index) from log_entries e
        where e.index >= wanted.tile * ${TILE_WIDTH} and e.index < wanted.tile * ${TILE_WIDTH} + wanted.width)
    else
      (select string_agg(t.root, ''::bytea order by t.tile) from log_tiles t
        where t.level = wanted.level - 1
          and t.tile >= wanted.tile * ${TILE_WIDTH} and t.tile < wanted.tile * ${TILE_WIDTH} + wanted.width)
    end as hashes
  from unnest($1::int[], $2::int8[], $3::int[]) with ordinality as wanted (level, tile, width, place)
  order by wanted.place`;

/** What `eventOf` makes an event of. */
export const EVENT_COLUMNS = ["entry.index", "entry.salt", "entry.body", "entry.leaf"] as const;

export interface EventRow {
  readonly index: number;
  readonly salt: Uint8Array;
  readonly body: Uint8Array;
  readonly leaf: Uint8Array;
}

export function eventOf(row: EventRow): LogEvent {
  const { type, time, project, previous } = decodeLeaf(row.leaf);
  const { about, body } = decodeBody(row.body);
  return { index: row.index, type, time, project, about, previous, salt: row.salt, body, leaf: row.leaf };
}
