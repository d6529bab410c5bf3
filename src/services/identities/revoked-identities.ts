import {
  type IdentityRevocationSearch,
  type RevocationPlace,
  searchIdentityRevocations,
} from "../../db/identity-revocations.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

export interface RevokedIdentityQuery {
  readonly digest?: string;
  readonly spiffeId?: string;
  readonly kind?: "x509" | "jwt";
  /** 1 to 200. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** The identities that were revoked and have not expired, newest first. @throws VouchsafeError `invalid-request`, `malformed-digest` */
export async function listRevokedIdentities(v: Vouchsafe, { project }: Caller, query: RevokedIdentityQuery) {
  const { digest, spiffeId, kind, limit, after } = query;
  const search: IdentityRevocationSearch = {
    endingAfter: v.clock(),
    limit,
    ...(digest !== undefined && { digest: parseDigest(digest) }),
    ...(spiffeId !== undefined && { spiffeId }),
    ...(kind !== undefined && { kind }),
    ...(after !== undefined && { after: placeOf(after) }),
  };
  const found = await searchIdentityRevocations(v.database.kysely, project, search);
  const last = found.at(-1);
  return {
    identities: found.map(({ revokedAt, expiresAt, ...identity }) => ({
      ...identity,
      revokedAt: new Date(revokedAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
    })),
    next: last !== undefined && found.length === limit ? `${last.index}.${last.serial}` : null,
  };
}

function placeOf(after: string): RevocationPlace {
  const [, index, serial] = /^(0|[1-9][0-9]{0,14})\.([A-Za-z0-9_-]{1,64})$/.exec(after) ?? [];
  if (index === undefined || serial === undefined)
    throw new VouchsafeError("invalid-request", "`after` must be the `next` of a page");
  return { index: Number(index), serial };
}
