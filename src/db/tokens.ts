import type { Kysely, Selectable } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Schema, TokensTable } from "./schema.ts";

/** A bearer token as far as the database knows it. */
export interface TokenRecord {
  readonly project: ProjectId;
  readonly id: string;
  /** sha256 of the secret. */
  readonly hash: Uint8Array;
  readonly name: string;
  readonly roles: readonly string[];
  /** Policies that an artifact must pass when this token asks. */
  readonly policies: readonly string[];
  readonly mayChoosePolicy: boolean;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt?: number;
}

export async function insertToken(db: Kysely<Schema>, token: TokenRecord): Promise<void> {
  await db
    .insertInto("tokens")
    .values({
      project_id: token.project,
      id: token.id,
      hash: token.hash,
      name: token.name,
      roles: [...token.roles],
      policies: [...token.policies],
      may_choose_policy: token.mayChoosePolicy,
      created_at: token.createdAt,
      expires_at: token.expiresAt,
      revoked_at: token.revokedAt ?? null,
    })
    .execute();
}

/** The token with this hash, expired or revoked ones too: the caller decides, with its clock. */
export async function findTokenByHash(
  db: Kysely<Schema>,
  hash: Uint8Array,
): Promise<TokenRecord | undefined> {
  const row = await db.selectFrom("tokens").selectAll().where("hash", "=", hash).executeTakeFirst();
  return row === undefined ? undefined : tokenOf(row);
}

export async function listTokens(db: Kysely<Schema>, project: ProjectId): Promise<TokenRecord[]> {
  const rows = await db
    .selectFrom("tokens")
    .selectAll()
    .where("project_id", "=", project)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map(tokenOf);
}

/** Whether there was such a token that was not revoked before. */
export async function revokeToken(
  db: Kysely<Schema>,
  project: ProjectId,
  id: string,
  at: number,
): Promise<boolean> {
  const revoked = await db
    .updateTable("tokens")
    .set({ revoked_at: at })
    .where("project_id", "=", project)
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .returning("id")
    .execute();
  return revoked.length > 0;
}

function tokenOf(row: Selectable<TokensTable>): TokenRecord {
  return {
    project: row.project_id as ProjectId,
    id: row.id,
    hash: row.hash,
    name: row.name,
    roles: row.roles,
    policies: row.policies,
    mayChoosePolicy: row.may_choose_policy,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
  };
}
