import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ProjectId } from "../custody/events.ts";
import {
  findTokenByHash,
  insertToken,
  revokeToken as markRevoked,
  listTokens as readTokens,
} from "../db/tokens.ts";
import { VouchsafeError } from "../errors.ts";
import { type Caller, ROLES, type Role } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";

export interface TokenRequest {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly policies?: readonly string[];
  readonly mayChoosePolicy?: boolean;
  /** Seconds. */
  readonly expiresIn?: number;
}

export interface CreatedToken {
  readonly id: string;
  /** `vouchsafe_<id>_<secret>`: shown once, stored only as the secret's sha256. */
  readonly token: string;
  readonly expiresAt: string;
}

const DAY = 24 * 60 * 60;
const DEFAULT_LIFE = 30 * DAY;
const TOKEN = /^vouchsafe_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export async function createToken(
  v: Vouchsafe,
  { project }: Pick<Caller, "project">,
  request: TokenRequest,
): Promise<CreatedToken> {
  const id = randomBytes(8).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  const createdAt = v.clock();
  const expiresAt = createdAt + (request.expiresIn ?? DEFAULT_LIFE) * 1000;
  await insertToken(v.database.kysely, {
    project,
    id,
    hash: hashSecret(secret),
    name: request.name,
    roles: request.roles,
    policies: request.policies ?? [],
    mayChoosePolicy: request.mayChoosePolicy ?? false,
    createdAt,
    expiresAt,
  });
  return { id, token: `vouchsafe_${id}_${secret}`, expiresAt: new Date(expiresAt).toISOString() };
}

/**
 * Who a bearer token stands for.
 *
 * @throws VouchsafeError `unauthenticated` for one that is malformed, unknown, expired or revoked, alike
 */
export async function authenticate(v: Vouchsafe, bearer: string): Promise<Caller> {
  const [, id, secret] = TOKEN.exec(bearer) ?? [];
  const token =
    secret === undefined ? undefined : await findTokenByHash(v.database.kysely, hashSecret(secret));
  const now = v.clock();
  const isValid =
    token !== undefined && sameText(token.id, id) && token.revokedAt === undefined && now < token.expiresAt;
  if (!isValid) {
    throw new VouchsafeError(
      "unauthenticated",
      "The bearer token is unknown, expired or revoked; ask an operator for one",
    );
  }
  return {
    token: token.id,
    project: token.project,
    roles: ROLES.filter((role) => token.roles.includes(role)),
    policies: token.policies,
    mayChoosePolicy: token.mayChoosePolicy,
  };
}

export async function listTokens(v: Vouchsafe, { project }: Caller) {
  const tokens = await readTokens(v.database.kysely, project);
  return tokens.map(({ id, name, roles, policies, mayChoosePolicy, createdAt, expiresAt, revokedAt }) => ({
    id,
    name,
    roles,
    policies,
    mayChoosePolicy,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    revokedAt: revokedAt === undefined ? null : new Date(revokedAt).toISOString(),
  }));
}

/** @throws VouchsafeError `not-found` */
export async function revokeToken(v: Vouchsafe, { project }: Caller, id: string): Promise<void> {
  const revoked = await markRevoked(v.database.kysely, project, id, v.clock());
  if (!revoked) throw new VouchsafeError("not-found", `There is no token ${id} that could be revoked`);
}

/** Whether the project has any token yet: without one, nobody could make the first. */
export async function hasTokens(v: Vouchsafe, project: ProjectId): Promise<boolean> {
  return (await readTokens(v.database.kysely, project)).length > 0;
}

function hashSecret(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}

function sameText(a: string, b: string | undefined): boolean {
  return b !== undefined && a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
