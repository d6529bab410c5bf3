import { EVENT_TYPES, RECORDS } from "../custody/events.ts";
import type { ChainEnd, LogBatch, LogHead, LogStore, WatchedChain } from "../custody/log-store.ts";
import { CommitUnknown } from "../custody/log-store.ts";
import { VouchsafeError } from "../errors.ts";
import { encodePeaks } from "../tlog/frontier.ts";
import type { Database, Query } from "./connection.ts";
import { headOf, readTiles, type TileRow } from "./log.ts";
import { projectCurrentVerdict, projectEvents } from "./projections.ts";
import { asUnavailable } from "./unavailable.ts";

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
     ) as last, (
       select c.index from log_chain c join log_entries e on e.index = c.index
       where c.project_id = wanted.project_id and c.key = wanted.key and c.index >= wanted.since
         and e.type <> all ($4::int2[])
       order by c.index desc limit 1
     ) as changed
     from unnest($1::uuid[], $2::text[], $3::int8[]) with ordinality as wanted (project_id, key, since, place)
     order by wanted.place`,
    [
      chains.map(({ project }) => project),
      chains.map(({ key }) => key),
      chains.map(({ since }) => since),
      RECORD_TYPES,
    ],
  );
}

/**
 * One statement for everything. Bytes travel as one blob and rows name their places in it; other columns travel
 * as JSON, one document a table. (Measured against COPY, multi-row VALUES and arrays of bytea.)
 */
const WRITE = `
  with entries as (
    insert into log_entries (index, project_id, type, time, leaf, leaf_hash, salt, body)
    select index, project_id, type, time, substr($1::bytea, at, leaf), substr($1, at + leaf, 32),
           substr($1, at + leaf + 32, 32), substr($1, at + leaf + 64, body)
    from json_to_recordset($2) as e
      (index int8, project_id uuid, type int2, time int8, at int4, leaf int4, body int4)
  ), chain as (
    insert into log_chain select * from json_populate_recordset(null::log_chain, $3)
  ), tiles as (
    insert into log_tiles (level, tile, hashes, root)
    select level, tile, substr($1, at, 8192), substr($1, at + 8192, 32)
    from json_to_recordset($4) as t (level int2, tile int8, at int4)
  ), evidence as (
    insert into evidence (project_id, id, media_type, bytes, index)
    select project_id, id, media_type, substr($1, at, length), index
    from json_to_recordset($5) as e (project_id uuid, id text, media_type text, at int4, length int4, index int8)
  ), documents as (
    insert into documents (project_id, hash, kind, bytes)
    select project_id, hash, kind, substr($1, at, length)
    from json_to_recordset($6) as d (project_id uuid, hash text, kind text, at int4, length int4)
    on conflict do nothing
  ), attestations as (
    insert into attestations select * from json_populate_recordset(null::attestations, $7)
  ), subjects as (
    insert into attestation_subjects select * from json_populate_recordset(null::attestation_subjects, $8)
  ), containment as (
    insert into containment select * from json_populate_recordset(null::containment, $23)
  ), rejections as (
    insert into rejections select * from json_populate_recordset(null::rejections, $9)
  ), verdicts as (
    insert into verdicts select * from json_populate_recordset(null::verdicts, $10)
    on conflict (project_id, artifact, policy) do update set
      policy_hash = excluded.policy_hash, trust_hash = excluded.trust_hash,
      evidence_set = excluded.evidence_set, outcome = excluded.outcome, slsa_level = excluded.slsa_level,
      attestations = excluded.attestations, checks = excluded.checks, valid_until = excluded.valid_until,
      index = excluded.index, rests_on = excluded.rests_on, as_of = excluded.as_of, approvals = excluded.approvals
  ), quarantines as (
    insert into quarantines select * from json_populate_recordset(null::quarantines, $11)
  ), liftings as (
    update quarantines set lifted_index = l.lifted_index
    from json_to_recordset($12) as l (project_id uuid, id uuid, lifted_index int8)
    where quarantines.project_id = l.project_id and quarantines.id = l.id and quarantines.lifted_index is null
  ), approvals as (
    insert into approvals select * from json_populate_recordset(null::approvals, $24)
  ), approval_withdrawals as (
    update approvals set withdrawn_index = w.withdrawn_index
    from json_to_recordset($25) as w (project_id uuid, id uuid, withdrawn_index int8)
    where approvals.project_id = w.project_id and approvals.id = w.id and approvals.withdrawn_index is null
  ), exceptions as (
    insert into exceptions select * from json_populate_recordset(null::exceptions, $26)
  ), exception_withdrawals as (
    update exceptions set withdrawn_index = w.withdrawn_index
    from json_to_recordset($27) as w (project_id uuid, id uuid, withdrawn_index int8)
    where exceptions.project_id = w.project_id and exceptions.id = w.id and exceptions.withdrawn_index is null
  ), policies as (
    insert into active_policies select * from json_populate_recordset(null::active_policies, $13)
    on conflict (project_id) do update set
      policy_set = excluded.policy_set, document = excluded.document, index = excluded.index
  ), trust as (
    insert into active_trust
    select t.project_id, t.trust,
           case when t.extends_previous then t.holding || coalesce(before.holding, '[]') else t.holding end, t.index
    from json_to_recordset($14) as t
      (project_id uuid, trust text, holding jsonb, extends_previous boolean, index int8)
    left join active_trust before on before.project_id = t.project_id
    on conflict (project_id) do update set
      trust = excluded.trust, holding = excluded.holding, index = excluded.index
  ), identities as (
    insert into identities select * from json_populate_recordset(null::identities, $15)
  ), agents as (
    insert into agents select * from json_populate_recordset(null::agents, $16)
  ), agent_revocations as (
    insert into agent_revocations select * from json_populate_recordset(null::agent_revocations, $22)
  ), used_tokens as (
    update tokens set revoked_at = a.joined_at
    from json_to_recordset($16) as a (token text, joined_at int8)
    where tokens.id = a.token and tokens.revoked_at is null
  ), head as (
    update log_head set size = $17::int8, root = $18, peaks = $19, time = $20, checkpoint = $21
    where size < $17::int8
  )
  select pg_notify('${LOG_CHANNEL}', ($17::int8)::text)`;

async function write(query: Query, batch: LogBatch): Promise<void> {
  const blob = createBlob();
  const entries = batch.entries.map((entry) => ({
    index: entry.index,
    project_id: entry.project,
    type: EVENT_TYPES[entry.draft.type],
    time: entry.time,
    at: blob.add(entry.leaf, entry.leafHash, entry.salt, entry.body),
    leaf: entry.leaf.length,
    body: entry.body.length,
  }));
  const chain = batch.entries.flatMap(({ project, draft, index }) =>
    draft.about.map((key) => ({ project_id: project, key, index })),
  );
  const tiles = batch.tiles.map(({ level, tile, hashes, root }) => ({
    level,
    tile,
    at: blob.add(hashes, root),
  }));
  const evidence = batch.evidence.map(({ project, id, mediaType, bytes, index }) => ({
    project_id: project,
    id,
    media_type: mediaType,
    at: blob.add(bytes),
    length: bytes.length,
    index,
  }));
  const documents = batch.documents.map(({ project, hash, kind, bytes }) => ({
    project_id: project,
    hash,
    kind,
    at: blob.add(bytes),
    length: bytes.length,
  }));
  const rows = projectEvents(batch.entries);
  for (const confirmation of batch.confirmations) projectCurrentVerdict(rows, confirmation);

  await query(WRITE, [
    blob.bytes(),
    ...[
      entries,
      chain,
      tiles,
      evidence,
      documents,
      rows.attestations,
      rows.attestation_subjects,
      rows.rejections,
      [...rows.verdicts.values()],
      [...rows.quarantines.values()],
      rows.liftings,
      [...rows.active_policies.values()],
      [...rows.active_trust.values()],
      rows.identities,
      rows.agents,
    ].map(encodeRows),
    batch.head.size,
    batch.head.root,
    encodePeaks(batch.head),
    batch.head.time,
    batch.head.checkpoint,
    ...[
      rows.agent_revocations,
      rows.containment,
      [...rows.approvals.values()],
      rows.approval_withdrawals,
      [...rows.exceptions.values()],
      rows.exception_withdrawals,
    ].map(encodeRows),
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

/**
 * Rows as JSON. Postgres's text holds no NUL: where an attacker's string has one, the row that is searched by
 * gets U+FFFD in its place, and the event's body keeps what was signed.
 */
function encodeRows(rows: readonly object[]): string {
  const json = JSON.stringify(rows);
  if (!json.includes("\\u0000")) return json;
  return JSON.stringify(rows, (_, value) =>
    typeof value === "string" ? value.replaceAll("\0", "\ufffd") : value,
  );
}

/** SQLSTATE 23505: a key that is already there, e.g. the same evidence accepted twice. */
const UNIQUE_VIOLATION = "23505";

function asStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof VouchsafeError || error instanceof CommitUnknown)
    return error;
  const { code } = error as { code?: unknown };
  if (code === UNIQUE_VIOLATION) {
    return new VouchsafeError("conflict", "Something of this is recorded already", { cause: error });
  }
  return asUnavailable(error);
}
