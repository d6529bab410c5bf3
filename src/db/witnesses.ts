import type { Kysely } from "kysely";
import type { Database } from "./connection.ts";
import type { Schema } from "./schema.ts";

/** What is known of a witness. Times in milliseconds since the epoch. */
export interface WitnessRecord {
  /** Its verifier key. */
  readonly key: string;
  /** Of the tree that it cosigned last, as far as is known. */
  readonly size: number;
  readonly cosignedAt: number | null;
  readonly trouble: string | null;
  readonly troubledAt: number | null;
  /** What it says that cannot be true of this log too; null when it was last content. */
  readonly contradiction: string | null;
}

/** A checkpoint with the cosignatures got so far. */
export interface CosignedCheckpoint {
  readonly size: number;
  /** A signed note. */
  readonly checkpoint: string;
  /** Whether it is, or was, served as the log's newest. */
  readonly published: boolean;
}

export async function readWitnessRecords(db: Kysely<Schema>): Promise<WitnessRecord[]> {
  return db
    .selectFrom("witnesses")
    .select([
      "key",
      "size",
      "cosigned_at as cosignedAt",
      "trouble",
      "troubled_at as troubledAt",
      "contradiction",
    ])
    .execute();
}

export async function recordWitness(db: Kysely<Schema>, record: WitnessRecord): Promise<void> {
  const { key, size, cosignedAt, trouble, troubledAt, contradiction } = record;
  const row = { size, cosigned_at: cosignedAt, trouble, troubled_at: troubledAt, contradiction };
  await db
    .insertInto("witnesses")
    .values({ key, ...row })
    .onConflict((conflict) => conflict.column("key").doUpdateSet(row))
    .execute();
}

/** All there are, newest first: no more than `keepCosigned` leaves. */
export async function readCosigned(db: Kysely<Schema>): Promise<CosignedCheckpoint[]> {
  return db
    .selectFrom("cosigned_checkpoints")
    .select(["size", "checkpoint", "published"])
    .orderBy("size", "desc")
    .execute();
}

/** The checkpoint that is served as the log's newest, if one was published. */
export async function readPublished(db: Kysely<Schema>): Promise<CosignedCheckpoint | undefined> {
  return db
    .selectFrom("cosigned_checkpoints")
    .select(["size", "checkpoint", "published"])
    .where("published", "=", true)
    .orderBy("size", "desc")
    .limit(1)
    .executeTakeFirst();
}

/**
 * Changes the checkpoints that are kept: one node at a time, so that no cosignature is lost.
 *
 * @param change is given those of now, newest first, and gives those that shall be
 */
export async function keepCosigned(
  database: Database,
  change: (kept: readonly CosignedCheckpoint[]) => readonly CosignedCheckpoint[],
): Promise<void> {
  await database.transaction(async (query) => {
    await query(`select 1 from witness_lease for update`);
    const before = await query<CosignedCheckpoint>(
      `select size, checkpoint, published from cosigned_checkpoints order by size desc`,
    );
    const kept = change(before);
    await query(`delete from cosigned_checkpoints where size <> all ($1::int8[])`, [
      kept.map(({ size }) => size),
    ]);
    for (const { size, checkpoint, published } of kept) {
      const same = before.find((row) => row.size === size);
      if (same?.checkpoint === checkpoint && same.published === published) continue;
      await query(
        `insert into cosigned_checkpoints (size, checkpoint, published) values ($1, $2, $3)
         on conflict (size) do update set checkpoint = excluded.checkpoint, published = excluded.published`,
        [size, checkpoint, published],
      );
    }
  });
}
