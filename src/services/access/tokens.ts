import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ProjectId } from "../../custody/events.ts";
import {
  findTokenByHash,
  insertToken,
  revokeToken as markRevoked,
  listTokens as readTokens,
  type TokenRecord,
} from "../../db/tokens.ts";
import { VouchsafeError } from "../../errors.ts";
import { type Caller, ROLES, type Role } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import type { Authenticated } from "./authenticator.ts";
import { requireOwnProject } from "./named-project.ts";

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
  const { record, created } = newToken(project, request, v.clock());
  await insertToken(v.database.kysely, record);
  return created;
}

/**
 * Where no operator's token is valid nobody could make one, so a start makes one and gives it to `keep`: the first
 * start, and one after the last of them expired or was revoked. It is kept before it is stored: a crash in between
 * leaves a token that opens nothing, and the next start makes another.
 */
export async function ensureOperatorToken(
  v: Vouchsafe,
  keep: (token: string) => Promise<void>,
): Promise<void> {
  const tokens = await readTokens(v.database.kysely, v.project);
  const now = v.clock();
  const isOperators = ({ roles, expiresAt, revokedAt }: TokenRecord) =>
    roles.includes("operator") && revokedAt === undefined && now < expiresAt;
  if (tokens.some(isOperators)) return;
  const request: TokenRequest = { name: "made at a start", roles: ["operator"], mayChoosePolicy: true };
  const { record, created } = newToken(v.project, request, v.clock());
  await keep(created.token);
  await insertToken(v.database.kysely, record);
}

function newToken(
  project: ProjectId,
  request: TokenRequest,
  createdAt: number,
): { record: TokenRecord; created: CreatedToken } {
  const id = randomBytes(8).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  const expiresAt = createdAt + (request.expiresIn ?? DEFAULT_LIFE) * 1000;
  const record: TokenRecord = {
    project,
    id,
    hash: hashSecret(secret),
    name: request.name,
    roles: request.roles,
    policies: request.policies ?? [],
    mayChoosePolicy: request.mayChoosePolicy ?? false,
    createdAt,
    expiresAt,
  };
  const token = `vouchsafe_${id}_${secret}`;
  return { record, created: { id, token, expiresAt: new Date(expiresAt).toISOString() } };
}

/**
 * Who a bearer token stands for, and until when.
 *
 * @param named the project that the request names
 * @throws VouchsafeError `unauthenticated` for one that is malformed, unknown, expired or revoked, alike; `forbidden` for one of
 *   another project
 */
export async function authenticate(
  v: Vouchsafe,
  bearer: string,
  named: string | undefined,
): Promise<Authenticated> {
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
  await requireOwnProject(v, named, token.project);
  const caller: Caller = {
    token: token.id,
    name: token.name,
    project: token.project,
    roles: ROLES.filter((role) => token.roles.includes(role)),
    policies: token.policies,
    mayChoosePolicy: token.mayChoosePolicy,
  };
  return { caller, expiresAt: token.expiresAt };
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

function hashSecret(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}

function sameText(a: string, b: string | undefined): boolean {
  return b !== undefined && a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
