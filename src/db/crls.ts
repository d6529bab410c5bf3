import { type Kysely, sql } from "kysely";
import type { Schema } from "./schema.ts";

/** A revocation list as it was signed. Times in milliseconds since the epoch. */
export interface StoredCrl {
  /** The issuing authority's key identifier, hex. */
  readonly issuer: string;
  /** The log size that it knows all revocations of. */
  readonly asOf: number;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly der: Uint8Array;
}

export async function readCrl(db: Kysely<Schema>, issuer: string): Promise<StoredCrl | undefined> {
  return db
    .selectFrom("crls")
    .select(["issuer", "as_of as asOf", "this_update as thisUpdate", "next_update as nextUpdate", "der"])
    .where("issuer", "=", issuer)
    .executeTakeFirst();
}

/** Keeps a list unless a newer one of its issuer is kept. Those that ended before `forgetBefore` are forgotten. */
export async function keepCrl(db: Kysely<Schema>, crl: StoredCrl, forgetBefore: number): Promise<void> {
  const { issuer, asOf, thisUpdate, nextUpdate, der } = crl;
  const row = { as_of: asOf, this_update: thisUpdate, next_update: nextUpdate, der };
  await db
    .with("forgotten", (query) =>
      query.deleteFrom("crls").where("next_update", "<", forgetBefore).where("issuer", "<>", issuer),
    )
    .insertInto("crls")
    .values({ issuer, ...row })
    .onConflict((conflict) =>
      conflict
        .column("issuer")
        .doUpdateSet(row)
        .where(sql<boolean>`(crls.as_of, crls.this_update) < (excluded.as_of, excluded.this_update)`),
    )
    .execute();
}
