import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import type { Finding } from "../../../src/custody/fsck-findings.ts";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { type Database, openDatabase } from "../../../src/db/connection.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { fsck } from "../../../src/services/log/fsck.ts";
import type { TestNode } from "../../http/node.ts";
import { type FullLog, fillEveryTable } from "../../support/full-log.ts";
import { UNLESS_LONG } from "../../support/long.ts";
import { packOf } from "../../support/packs.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { everyRowEdit, type RowEdit, unfetter } from "../../support/row-edits.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

/** Rows of each table that the long run edits. */
const ROWS = 5;

/** What does not follow from the log, so that no check against it can find an edit of it. */
const NOT_IN_THE_LOG: Readonly<Record<string, string>> = {
  tokens: "callers' tokens are made and revoked beside the log",
  agent_requests: "proofs of agents that were used are forgotten when they have expired",
  used_tokens: "tokens that are good for one request are forgotten when they have expired",
  witnesses: "what witnesses did is not the log's to say; they are asked again",
  cosigned_checkpoints:
    "its cosignatures are judged when they are served, and whoever reads them judges again",
  witness_lease: "says which node submits now",
  sweep_lease: "says which node decides live identities anew now",
  federated_bundles: "what other trust domains publish is fetched again",
  crls: "lists are signed, and anew every few minutes",
  schema_migrations: "says which schema there is; a check of another is refused",
  "projects column name": "a name is for people; the log has the project's id",
  "projects column created_at": "nothing rests on it",
  "projects insert": "a project of which there is no event yet is none too many",
  "log_head column only": "a check of the database keeps it true, and nothing reads it",
  "verdicts column as_of": "a confirmation is no event; a size at which other inputs were in force is found",
};
/** Tables that an artifact's custody file is made from. */
const PACKED = ["log_entries", "log_chain", "log_head", "log_tiles", "evidence", "documents"];

/** What of them reaches no file: a file says the same after the edit, or cannot be told from an honest one. */
const COPIED = "a file has it from the leaf";
const UNREAD = "no file is made from it";
const UNNAMED = "a row that no event of the chain names is not looked for";
const ONLY_FSCK: Readonly<Record<string, string>> = {
  "log_entries column project_id": COPIED,
  "log_entries column type": COPIED,
  "log_entries column time": COPIED,
  "log_entries column leaf_hash": "proofs have had it from its tile since that is full",
  "log_entries insert": UNNAMED,
  "log_chain insert": UNNAMED,
  "log_head column root": UNREAD,
  "log_head column peaks": UNREAD,
  "log_head column time": UNREAD,
  "log_head insert": UNREAD,
  "log_tiles column root": "proofs need it once a tile of the level above is there",
  "log_tiles insert": UNNAMED,
  "evidence column index": UNREAD,
  "evidence insert": UNNAMED,
  "documents column kind": "a file has it from the event",
  "documents insert": UNNAMED,
};

const isInTheLog = ({ table, what }: RowEdit) =>
  !(table in NOT_IN_THE_LOG || `${table} ${what}` in NOT_IN_THE_LOG);

describe("a superuser's edit of one row", { skip: UNLESS_LONG }, () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let node: TestNode;
  let dataDir: string;
  let database: Database;
  let admin: pg.Client;
  let log: FullLog;

  before(async () => {
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres);
    node = await house.open();
    log = await fillEveryTable(house, node);
    dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-fsck-"));
    database = await openDatabase({ databaseUrl: postgres.databaseUrl, dataDir, asItIs: true });
    admin = new pg.Client(postgres.adminUrl);
    await admin.connect();
    await unfetter(admin);
  });
  after(async () => {
    await admin?.end();
    await database?.close();
    await house.close();
    await postgres.drop();
    await stopPostgres();
    await rm(dataDir, { recursive: true, force: true });
  });

  const check = async () => (await fsck(database, { logKeys: node.v.log.verifierKey })).findings;

  it("is needed before anything is found", async () => {
    assert.deepEqual(await check(), []);
    assert.ok(log);
  });

  it("is found, in whichever table and column", async () => {
    const edits = (await everyRowEdit(admin)).filter(isInTheLog);
    await assertFound(together(edits));
  });

  it("is found in each row, made alone", async () => {
    for (let row = 0; row < ROWS; row += 1)
      await assertFound((await everyRowEdit(admin, {}, row)).filter(isInTheLog).map((edit) => [edit]));
  });

  it("is found in the body of an event that puts policies in force, and does not end the check", async () => {
    for (const type of [2, 3]) {
      const edits = await everyRowEdit(admin, { log_entries: `type = ${type}` });
      const body = edits.filter(({ table, what }) => table === "log_entries" && what === "column body");
      await assertFound(body.map((edit) => [edit]));
    }
  });

  it("is found where a verdict was confirmed since, which is no event", async () => {
    const { rows } = await admin.query("select index, as_of from verdicts where artifact = $1", [
      log.confirmed,
    ]);
    assert.ok(rows[0].as_of > rows[0].index, "it was confirmed");
    const edit = async (column: string, value: unknown) =>
      admin.query(`update verdicts set ${column} = $1 where artifact = $2`, [value, log.confirmed]);
    const { rows: before } = await admin.query("select * from verdicts where artifact = $1", [log.confirmed]);
    for (const [column, value] of [
      ["policy_hash", log.judged],
      ["trust_hash", log.judged],
      ["evidence_set", log.judged],
      ["as_of", Number(rows[0].index) + 1],
      ["outcome", "failed"],
    ] as const) {
      await edit(column, value);
      const found = await check();
      assert.deepEqual(
        found.map(({ table }) => table),
        ["verdicts"],
        column,
      );
      await edit(column, before[0][column]);
    }
  });

  it("is found in a table whose primary key was taken off, or that became a view", async () => {
    const isTold = async () =>
      (await check()).some(({ table, problem }) => table === "exceptions" && problem.includes("not checked"));
    await admin.query(
      "begin; alter table exceptions rename to kept; create view exceptions as table kept; commit",
    );
    assert.ok(await isTold());
    await admin.query("begin; drop view exceptions; alter table kept rename to exceptions; commit");
    await admin.query("alter table exceptions drop constraint exceptions_pkey");
    assert.ok(await isTold());
    await admin.query("alter table exceptions add primary key (project_id, id)");
    assert.deepEqual(await check(), []);
  });

  it("is found by who verifies an artifact's custody file, where it reaches that file", async () => {
    const about = `(select attestation from attestation_subjects where digest = '${log.judged}')`;
    const edits = await everyRowEdit(admin, {
      log_entries: `index = (select index from evidence where id = ${about})`,
      // The first of the chain: that its end was left out, a file cannot show.
      log_chain: `key = '${log.judged}' and index = (select index from evidence where id = ${about})`,
      log_tiles: "level = 0",
      evidence: `id = ${about}`,
      documents: "hash = (select document from active_policies)",
    });
    const reaching = edits.filter(({ table }) => PACKED.includes(table)).filter(isInTheLog);
    assert.equal(await isRefuted(log.judged), false);
    const wrong: string[] = [];
    for (const edit of reaching) {
      const name = `${edit.table} ${edit.what}`;
      const { undo } = await edit.apply();
      if ((await isRefuted(log.judged)) === name in ONLY_FSCK) wrong.push(name);
      await undo();
    }
    assert.deepEqual(wrong, []);
  });

  async function assertFound(rounds: readonly (readonly RowEdit[])[]): Promise<void> {
    const missed: string[] = [];
    for (const round of rounds) {
      const done: { undo(): Promise<void> }[] = [];
      for (const edit of round) done.push(await edit.apply());
      const findings = await check();
      for (const edit of round)
        if (!findings.some((finding) => tells(finding, edit))) missed.push(`${edit.table} ${edit.what}`);
      for (const { undo } of done.reverse()) await undo();
    }
    assert.deepEqual(missed, []);
    assert.deepEqual(await check(), [], "every edit was taken back");
  }

  /** Whether a custody file cannot be made, or does not hold. */
  async function isRefuted(artifact: Digest): Promise<boolean> {
    try {
      const pack = await packOf(node.v, callerWith(node, ["auditor"]), artifact);
      return !verifyPack(pack, node.v.log.verifierKey).ok;
    } catch {
      return true;
    }
  }
});

/** Edits of tables that are derived each by itself, a few at once; the log's own would be in each other's way. */
function together(edits: readonly RowEdit[]): RowEdit[][] {
  const isOfLog = ({ table }: RowEdit) => table.startsWith("log_");
  const rounds: RowEdit[][] = [];
  for (const edit of edits) {
    const room = isOfLog(edit)
      ? undefined
      : rounds.find((round) => round.every((other) => !isOfLog(other) && other.table !== edit.table));
    if (room === undefined) rounds.push([edit]);
    else room.push(edit);
  }
  return rounds;
}

/** Whether a finding is about this edit: names its table, and the column or a row that is missing or too many. */
function tells({ table, key, problem }: Finding, edit: RowEdit): boolean {
  if (table !== edit.table) return false;
  const column = edit.what.replace("column ", "");
  return (
    problem.includes(column) ||
    key.includes(column) ||
    /missing|no event gives|more than once|rows|does not have it/.test(problem)
  );
}
