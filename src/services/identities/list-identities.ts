import { type IdentitySearch, searchIdentities } from "../../db/identities.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { pageStart } from "../page-start.ts";

export interface IdentityQuery {
  readonly digest?: string;
  readonly spiffeId?: string;
  /** Serial number in hex, or the JWT's `jti`. */
  readonly serial?: string;
  /** The workload policy that granted it. */
  readonly workload?: string;
  readonly requester?: string;
  /** Only those that have not expired. */
  readonly live?: boolean;
  /** 1 to 200. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** The identities that were granted, newest first. */
export async function listIdentities(v: Vouchsafe, { project }: Caller, query: IdentityQuery) {
  const { digest, workload, live, after, ...rest } = query;
  const search: IdentitySearch = {
    ...rest,
    ...(digest !== undefined && { digest: parseDigest(digest) }),
    ...(workload !== undefined && { workloads: [workload] }),
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
    next: last !== undefined && found.length === query.limit ? String(last.index) : null,
  };
}
