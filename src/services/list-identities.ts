import { type IdentitySearch, searchIdentities } from "../db/identities.ts";
import { parseDigest } from "../in-toto-attestation/digest.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";
import { pageStart } from "./page-start.ts";

export interface IdentityQuery {
  readonly digest?: string;
  readonly spiffeId?: string;
  /** Only those that have not expired. */
  readonly live?: boolean;
  /** 1 to 200. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** The identities that were granted, newest first. */
export async function listIdentities(v: Vouchsafe, { project }: Caller, query: IdentityQuery) {
  const { digest, spiffeId, live, limit, after } = query;
  const search: IdentitySearch = {
    limit,
    ...(digest !== undefined && { digest: parseDigest(digest) }),
    ...(spiffeId !== undefined && { spiffeId }),
    ...(live === true && { liveAt: v.clock() }),
    ...(after !== undefined && { before: pageStart(after) }),
  };
  const found = await searchIdentities(v.database.kysely, project, search);
  const last = found.at(-1);
  return {
    identities: found.map(({ issuedAt, expiresAt, ...identity }) => ({
      ...identity,
      issuedAt: new Date(issuedAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
    })),
    next: last !== undefined && found.length === limit ? String(last.index) : null,
  };
}
