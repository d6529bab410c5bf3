import { searchWouldDenials } from "../../db/would-denials.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { timeOf } from "../time.ts";

export interface WouldDenyQuery {
  readonly policy?: string;
  readonly workload?: string;
  readonly artifact?: string;
  /** RFC 3339 */
  readonly since?: string;
  /** 1 to 200. */
  readonly limit: number;
}

/**
 * Who would have been denied if the policies in audit mode were enforced, by what was granted, denied and recorded: each
 * requester, artifact and policy once, with how often; the newest first.
 *
 * @throws VouchsafeError `invalid-request`; AttestationFormatError `malformed-digest`
 */
export async function reportWouldDeny(
  v: Vouchsafe,
  { project }: Caller,
  { artifact, since, limit, ...named }: WouldDenyQuery,
) {
  const found = await searchWouldDenials(v.database.kysely, project, {
    ...named,
    ...(artifact !== undefined && { artifact: parseDigest(artifact) }),
    ...(since !== undefined && { since: timeOf("since", since) }),
    // One more than asked for tells whether there are more.
    limit: limit + 1,
  });
  return {
    wouldDeny: found
      .slice(0, limit)
      .map(({ lastTime, ...line }) => ({ ...line, lastTime: new Date(lastTime).toISOString() })),
    truncated: found.length > limit,
  };
}
