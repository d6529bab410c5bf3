import { EVENT_TYPES, RECORDS } from "../custody/events.ts";
import type { ChainEnd, LogBatch, LogHead, LogStore, WatchedChain } from "../custody/log-store.ts";
import { CommitUnknown } from "../custody/log-store.ts";
import { VouchsafeError } from "../errors.ts";
import { encodePeaks } from "../tlog/frontier.ts";
import { asUnavailable } from "./connection/unavailable.ts";
import type { Database, Query } from "./connection.ts";
import { headOf, readTiles, type TileRow } from "./log.ts";
import { projectEvents } from "./projections/project-events.ts";
import { noRows, type Projection } from "./projections/rows.ts";
import { encodeRows, STATEMENTS } from "./projections/statements.ts";
import { projectCurrentVerdict } from "./projections/verdicts.ts";

/** Postgres channel on which each commit announces the log's new size. */
export const LOG_CHANNEL = "vouchsafe_log";

/**
 * The log in the database. The head row's lock orders all writers of all nodes; the reads after it are
 * statements of their own, so that each sees what the holder before committed.
 */
export function createLogStore(database: Database): LogStore {
  return {
    durable: database.durable,
    async locked(run) {
      try {
        return await database.transaction(async (query) => {
          const head = await lockHead(query);
          return run({
            head,
            readTiles: (tiles) => readTiles(tiles, (text, values) => query<TileRow>(text, values)),
            chainEnds: (chains) => chainEnds(query, chains),
            write: (batch) => write(query, batch),
          });
        });
      } catch (error) {
        throw asStoreError(error);
      }
    },
  };
}

async function lockHead(query: Query): Promise<LogHead> {
  const [row] = await query<Parameters<typeof headOf>[0]>(
    "select size, root, peaks, time, checkpoint from log_head for update",
  );
  if (row === undefined) throw new VouchsafeError("log-inconsistent", "The log has no head");
  return headOf(row);
}

const RECORD_TYPES = RECORDS.map((type) => EVENT_TYPES[type]);

async function chainEnds(query: Query, chains: readonly WatchedChain[]): Promise<ChainEnd[]> {
  if (chains.length === 0) return [];
  return query<ChainEnd>(
    `select (
       select c.index from log_chain c
       where c.project_id = wanted.project_id and c.key = wanted.key
       order by c.index desc limit 1
     ) as last, case when wanted.since < $5 then (
       select c.index from log_chain c join log_entries e on e.index = c.index
       where c.project_id = wanted.project_id and c.key = wanted.key and c.index >= wanted.since
         and e.type <> all ($4::int2[])
       order by c.index desc limit 1
     ) end as changed
     from unnest($1::uuid[], $2::text[], $3::int8[]) with ordinality as wanted (project_id, key, since, place)
     order by wanted.place`,
    [
      chains.map(({ project }) => project),
      chains.map(({ key }) => key),
      chains.map(({ since }) => since),
      RECORD_TYPES,
      Number.MAX_SAFE_INTEGER,
    ],
  );
}

/** What of a batch is written beside the state that follows from its events, as JSON. */
const LOG_PARTS = ["entries", "chain", "tiles", "evidence", "documents"] as const;
const STATE_PARTS = Object.keys(STATEMENTS) as (keyof Projection)[];
/** The parameter after the blob and the head's five columns that holds a part's rows. */
const rowsOf = (part: (typeof LOG_PARTS)[number] | keyof Projection) =>
  `$${7 + [...LOG_PARTS, ...STATE_PARTS].indexOf(part)}`;

/**
 * One statement for everything. Bytes travel as one blob and rows name their places in it; other columns travel
 * as JSON, one document a table. (Measured against COPY, multi-row VALUES and arrays of bytea.)
 */
const WRITE = `
  with entries as (
    insert into log_entries (index, project_id, type, time, leaf, leaf_hash, salt, body)
    select index, project_id, type, time, substr($1::bytea, at, leaf), substr($1, at + leaf, 32),
           substr($1, at + leaf + 32, 32), substr($1, at + leaf + 64, body)
    from json_to_recordset(${rowsOf("entries")}) as e
      (index int8, project_id uuid, type int2, time int8, at int4, leaf int4, body int4)
  ), chain as (
    insert into log_chain select * from json_populate_recordset(null::log_chain, ${rowsOf("chain")})
  ), tiles as (
    insert into log_tiles (level, tile, hashes, root)
    select level, tile, substr($1, at, 8192), substr($1, at + 8192, 32)
    from json_to_recordset(${rowsOf("tiles")}) as t (level int2, tile int8, at int4)
  ), evidence as (
    insert into evidence (project_id, id, media_type, bytes, index)
    select project_id, id, media_type, substr($1, at, length), index
    from json_to_recordset(${rowsOf("evidence")}) as e
      (project_id uuid, id text, media_type text, at int4, length int4, index int8)
  ), documents as (
    insert into documents (project_id, hash, kind, bytes)
    select project_id, hash, kind, substr($1, at, length)
    from json_to_recordset(${rowsOf("documents")}) as d
      (project_id uuid, hash text, kind text, at int4, length int4)
    on conflict do nothing
  ), ${STATE_PARTS.map((part) => `state_${part} as (${STATEMENTS[part](rowsOf(part))})`).join(", ")}, used_tokens as (
    update tokens set revoked_at = a.joined_at
    from json_to_recordset(${rowsOf("agents")}) as a (project_id uuid, token text, joined_at int8)
    where tokens.project_id = a.project_id and tokens.id = a.token and tokens.revoked_at is null
  ), head as (
    update log_head set size = $2::int8, root = $3, peaks = $4, time = $5, checkpoint = $6
    where size < $2::int8
  )
  select pg_notify('${LOG_CHANNEL}', ($2::int8)::text)`;

async function write(query: Query, batch: LogBatch): Promise<void> {
  const blob = createBlob();
  const log: Record<(typeof LOG_PARTS)[number], readonly object[]> = {
    entries: batch.entries.map((entry) => ({
      index: entry.index,
      project_id: entry.project,
      type: EVENT_TYPES[entry.draft.type],
      time: entry.time,
      at: blob.add(entry.leaf, entry.leafHash, entry.salt, entry.body),
      leaf: entry.leaf.length,
      body: entry.body.length,
    })),
    chain: batch.entries.flatMap(({ project, draft, index }) =>
      draft.about.map((key) => ({ project_id: project, key, index })),
    ),
    tiles: batch.tiles.map(({ level, tile, hashes, root }) => ({ level, tile, at: blob.add(hashes, root) })),
    evidence: batch.evidence.map(({ project, id, mediaType, bytes, index }) => ({
      project_id: project,
      id,
      media_type: mediaType,
      at: blob.add(bytes),
      length: bytes.length,
      index,
    })),
    documents: batch.documents.map(({ project, hash, kind, bytes }) => ({
      project_id: project,
      hash,
      kind,
      at: blob.add(bytes),
      length: bytes.length,
    })),
  };
  const state = noRows();
  // First: a confirmation beside a new verdict was made from what was before that.
  for (const confirmation of batch.confirmations) projectCurrentVerdict(state, confirmation);
  projectEvents(batch.entries, state);

  const { head } = batch;
  await query(WRITE, [
    blob.bytes(),
    head.size,
    head.root,
    encodePeaks(head),
    head.time,
    head.checkpoint,
    ...LOG_PARTS.map((part) => encodeRows(log[part])),
    ...STATE_PARTS.map((part) => encodeRows([...state[part].values()])),
  ]);
}

/** Collects bytes and says where each lies, counting from 1 as SQL does. */
function createBlob(): { add(...parts: readonly Uint8Array[]): number; bytes(): Uint8Array } {
  const parts: Uint8Array[] = [];
  let length = 0;
  return {
    add(...added) {
      const at = length + 1;
      for (const part of added) length += part.length;
      parts.push(...added);
      return at;
    },
    bytes: () => Buffer.concat(parts, length),
  };
}

/** SQLSTATE 23505: a key that is already there, e.g. the same evidence accepted twice. */
const UNIQUE_VIOLATION = "23505";
/** SQLSTATE 55006, of `vouchsafe_keep_evidence`: a hold was placed on what the evidence is needed for. */
const OBJECT_IN_USE = "55006";

function asStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof VouchsafeError || error instanceof CommitUnknown)
    return error;
  const { code } = error as { code?: unknown };
  if (code === UNIQUE_VIOLATION) {
    return new VouchsafeError("conflict", "Something of this is recorded already", { cause: error });
  }
  if (code === OBJECT_IN_USE) {
    return new VouchsafeError("conflict", "A legal hold keeps this evidence", { cause: error });
  }
  return asUnavailable(error);
}
