import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

/** When the entry was logged, in milliseconds since the epoch. The log has that many entries. */
export async function timeOfEntry(db: Kysely<Schema>, index: number): Promise<number> {
  const { time } = await db
    .selectFrom("log_entries")
    .select("time")
    .where("index", "=", index)
    .executeTakeFirstOrThrow();
  return time;
}

/** How many of the first `size` entries were logged at this time or before: their times never go back. */
export async function sizeAtTime(db: Kysely<Schema>, time: number, size: number): Promise<number> {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await timeOfEntry(db, middle)) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
