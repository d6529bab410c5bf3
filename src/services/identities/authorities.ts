import { INSTALLATION, PROJECT_CHAIN } from "../../custody/events.ts";
import { readChain, readHead } from "../../db/log.ts";
import { hasCode, VouchsafeError } from "../../errors.ts";
import {
  AUTHORITY_EVENTS,
  type AuthorityHistory,
  type AuthorityRecord,
  believedBeside,
  withEvents,
} from "../../identity/authority-history.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

/** All authorities that the log ever had, in its order, and where each of them stands. */
export async function listAuthorities(v: Vouchsafe) {
  const { history } = await readAuthorityHistory(v);
  const signing = signingHere(v);
  return {
    authorities: [...history.values()].map((record) => ({
      authority: record.id,
      state: stateOf(record),
      signsHere: record.id === signing,
      notBefore: timeOf(record.prepared?.root.notBefore),
      notAfter: timeOf(record.prepared?.root.notAfter),
      preparedAt: timeOf(record.prepared?.time),
      activatedAt: timeOf(record.activated?.time),
      retiredAt: timeOf(record.retired?.time),
      reason: record.retired?.reason ?? null,
    })),
  };
}

/**
 * Takes an authority back: from the commit of this event on it is in no bundle and signs nothing, on any node. What it
 * signed fails with every relying party that has asked for the bundle since, unless another one has its root or its key for
 * JWT-SVIDs too. There is no way back.
 *
 * @returns with `believedBy`, those others
 * @throws VouchsafeError `not-found` for one that the log does not have, or has retired
 */
export async function retireAuthority(
  v: Vouchsafe,
  { token }: Caller,
  { authority, reason }: { readonly authority: string; readonly reason: string },
) {
  const { committed } = await appendFresh(v, async () => {
    const { size: asOf, history } = await readAuthorityHistory(v);
    const record = history.get(authority as Digest);
    if (record === undefined || record.retired !== undefined) {
      throw new VouchsafeError("not-found", `No authority ${authority} is there to be retired`);
    }
    const body = { authority, reason, caller: token };
    return {
      proposal: {
        project: INSTALLATION,
        asOf,
        restsOn: [PROJECT_CHAIN],
        events: [{ type: "authority.retired", about: [PROJECT_CHAIN], body }],
      },
    };
  });
  // This node stops at once, also where a turn is under way that read the log before; the others within a second.
  await v.authority.refresh();
  await v.authority.turn();
  const believedBy = believedBeside(v.authority.history(), authority as Digest);
  return { authority, believedBy, receipt: onlyEvent(committed).receipt };
}

/** What the log says of all authorities, as of its size now. */
export async function readAuthorityHistory({
  database,
}: Pick<Vouchsafe, "database">): Promise<{ size: number; history: AuthorityHistory }> {
  const { size } = await readHead(database.kysely);
  const page = { types: AUTHORITY_EVENTS, below: size };
  const events = await readChain(database.kysely, INSTALLATION, PROJECT_CHAIN, page);
  return { size, history: withEvents(new Map(), events) };
}

function stateOf({ activated, retired }: AuthorityRecord): "prepared" | "active" | "retired" {
  if (retired !== undefined) return "retired";
  return activated === undefined ? "prepared" : "active";
}

function signingHere({ authority }: Vouchsafe): Digest | undefined {
  try {
    return authority.current().id;
  } catch (error) {
    if (hasCode(error, "unavailable")) return undefined;
    throw error;
  }
}

function timeOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
