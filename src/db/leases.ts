import type { Database } from "./connection.ts";

/** What one node at a time does: a table each, whose only row says whose turn it is. */
export type Lease = "witness_lease" | "sweep_lease";

/** Takes or keeps the turn, for some seconds by the database's clock. False: it is another node's. */
export async function takeLease(
  database: Database,
  lease: Lease,
  holder: string,
  seconds: number,
): Promise<boolean> {
  return database.transaction(async (query) => {
    const rows = await query(
      `update ${lease} set holder = $1, until = clock_timestamp() + make_interval(secs => $2)
       where holder = $1 or until < clock_timestamp() returning 1`,
      [holder, seconds],
    );
    return rows.length > 0;
  });
}

/** Gives the turn up, so that another node need not wait for its end. Whatever keeps it from that, the end comes by itself. */
export async function dropLease(database: Database, lease: Lease, holder: string): Promise<void> {
  const dropping = database.transaction((query) =>
    query(`update ${lease} set holder = null, until = '-infinity' where holder = $1`, [holder]),
  );
  await dropping.catch(() => undefined);
}
