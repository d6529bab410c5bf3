import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

/** Tokens that are good for one request (migration 0020). Nothing of it follows from the log. */
export interface UsedTokensTable {
  /** sha256 of what was signed. */
  id: string;
  /** Milliseconds since the epoch. */
  expires_at: number;
}

/**
 * Uses up a token, on all nodes at once. False when it was used before. On the way tokens that expired before
 * `forgetBefore` are forgotten.
 */
export async function useToken(
  db: Kysely<Schema>,
  { id, expiresAt }: { readonly id: string; readonly expiresAt: number },
  forgetBefore: number,
): Promise<boolean> {
  const used = await db
    .with("forgotten", (query) =>
      query.deleteFrom("used_tokens").where("expires_at", "<", forgetBefore).returning("id"),
    )
    .insertInto("used_tokens")
    .values({ id, expires_at: Math.ceil(expiresAt) })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .execute();
  return used.length > 0;
}
