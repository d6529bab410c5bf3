import {
  type ChainKey,
  type EventDraft,
  type LogEvent,
  PROJECT_CHAIN,
  type ProjectId,
} from "../../custody/events.ts";
import type { RevokedIdentities } from "../../custody/revoked-identities.ts";
import { lastRevocations } from "../../db/agents.ts";
import { chainsBehind } from "../../db/decision-inputs.ts";
import { type IdentityRecord, searchIdentities, touchedIdentities } from "../../db/identities.ts";
import { readEvents, readHead } from "../../db/log.ts";
import { quarantinesOfIdentities } from "../../db/quarantines.ts";
import { hasCode, type VouchsafeError } from "../../errors.ts";
import type { Digest, JsonObject } from "../../in-toto-attestation/types.ts";
import { digestsOf, policiesOf } from "../../policy/components.ts";
import type { WorkloadPolicy } from "../../policy/workload-policy.ts";
import { activePolicySet } from "../active-policy-set.ts";
import { appendFresh } from "../append.ts";
import type { Vouchsafe } from "../context.ts";
import { type DigestStanding, standingOf } from "../decisions/workload-standing.ts";
import {
  type AttestedThen,
  attestedIn,
  type Judged,
  judgeByQuarantines,
  judgeIdentity,
  registrationsOf,
} from "./judge-identity.ts";

/** What moved that live identities may rest on, with the newest event that moved it; null where time alone did. */
export type Moved = ReadonlyMap<ChainKey, number | null>;

/** When time ends what live identities of a digest rest on although they last longer, in milliseconds since the epoch. */
export type Ends = Map<Digest, number>;

/** Identities judged, and those among them that fall taken back, in one transaction. */
const PAGE = 512;
/** Identities that one event names: some 300 bytes of its body each. */
const NAMED = 256;
/** Digests whose standing is read at once. */
const AT_ONCE = 16;
/** How often a page is read again. */
const MAX_CONFLICTS = 8;
/** After how long what could not be judged is looked at again, in milliseconds. */
const AGAIN = 30_000;

/**
 * Decides live identities anew for which something moved, by the functions that grant them, and records those that would not
 * be granted again (`identity.revoked`). What is recorded rests on the chains that it was judged from, and each identity
 * is revoked once: whoever else does the same at the same time, and wherever a node ends in between, the next look
 * finds what is left.
 *
 * @param goOn asked before each page
 * @returns undefined when it was not to go on
 * @throws VouchsafeError `unavailable`
 */
export async function sweepIdentities(
  v: Vouchsafe,
  project: ProjectId,
  moved: Moved,
  goOn: () => Promise<boolean>,
): Promise<Ends | undefined> {
  const ends: Ends = new Map();
  for (let before = Number.MAX_SAFE_INTEGER, conflicts = 0; ; ) {
    if (!(await goOn())) return undefined;
    try {
      const { last, judged } = await appendFresh(v, () => sweepPage(v, project, moved, before));
      noteEnds(ends, judged, v.clock());
      if (last === undefined) return ends;
      before = last;
      conflicts = 0;
    } catch (error) {
      // Another node revoked one of them at this very moment: the page is read again, without those.
      conflicts += 1;
      if (!(hasCode(error, "conflict") && conflicts < MAX_CONFLICTS)) throw error;
    }
  }
}

interface JudgedIdentity {
  readonly identity: IdentityRecord;
  /** What it was judged by: all that was attested. */
  readonly digests: readonly Digest[];
  /** Undefined where it could not be found out. */
  readonly judged: Judged | undefined;
}

async function sweepPage(v: Vouchsafe, project: ProjectId, moved: Moved, before: number) {
  const { kysely } = v.database;
  // Read first: what is read after it is at least as new.
  const { size: asOf } = await readHead(kysely);
  const page = await searchIdentities(kysely, project, {
    liveAt: v.clock(),
    before,
    limit: PAGE,
    ...(!moved.has(PROJECT_CHAIN) && { anyOf: [...moved.keys()] as Digest[] }),
  });
  const { judged, standings } = await judgePage(v, project, page);
  const denied = judged.filter(({ judged }) => judged?.case === "denied");
  const digests = new Set(denied.flatMap(({ digests }) => digests));
  const restsOn = [...digests].flatMap((digest) => {
    const standing = standings.get(digest);
    return standing === undefined ? [PROJECT_CHAIN, digest] : chainsBehind(digest, standing);
  });
  return {
    judged,
    last: page.length < PAGE ? undefined : page.at(-1)?.index,
    proposal: {
      project,
      asOf,
      restsOn: [...new Set(restsOn)],
      events: eventsOf(denied, await causesOf(v, project, denied, moved)),
    },
  };
}

/** What moved, with what did so after it was looked: judged was by that too, and time is not to be told as the cause. */
async function causesOf(
  v: Vouchsafe,
  project: ProjectId,
  denied: readonly JudgedIdentity[],
  moved: Moved,
): Promise<Moved> {
  const unexplained = denied.flatMap(({ identity }) =>
    causeOf(identity, moved) === null ? identity.index : [],
  );
  if (unexplained.length === 0) return moved;
  const since = { liveAt: v.clock(), from: Math.min(...unexplained) };
  const touched = await touchedIdentities(v.database.kysely, project, since);
  return new Map([...moved, ...touched.map(({ key, index }) => [key, index] as const)]);
}

async function judgePage(
  v: Vouchsafe,
  project: ProjectId,
  page: readonly IdentityRecord[],
): Promise<{ judged: readonly JudgedIdentity[]; standings: ReadonlyMap<Digest, DigestStanding> }> {
  if (page.length === 0) return { judged: [], standings: new Map() };
  const { kysely } = v.database;
  const policySet = await activePolicySet(v, project);
  const revokedAgents = await lastRevocations(kysely, project, [
    ...new Set(page.map(({ requester }) => requester)),
  ]);
  const granted = await readEvents(
    kysely,
    project,
    page.map(({ index }) => index),
  );
  const attested = new Map(granted.map((event) => [event.index, attestedBy(v, event)]));
  const registered = page.flatMap((identity) => {
    const then = attested.get(identity.index);
    if (then === undefined) return [];
    return { identity, then, registrations: registrationsOf(policySet, identity, then) };
  });
  const standings = await readStandings(v, project, registered);
  const quarantines = await quarantinesOfIdentities(kysely, project, {
    spiffeIds: page.map(({ spiffeId }) => spiffeId),
    serials: page.map(({ serial }) => serial),
  });
  const now = v.clock();
  const terms = (own: readonly DigestStanding[]) => ({ standings: () => own, quarantines, now });
  return {
    standings,
    judged: registered.map(({ identity, then, registrations }) => {
      if ((revokedAgents.get(identity.requester) ?? -1) > identity.index)
        return { identity, digests: identity.digests, judged: AGENT_REVOKED };
      const digests = digestsOf(then.components);
      const own = digests.flatMap((digest) => standings.get(digest) ?? []);
      if (registrations.length > 0 && own.length < digests.length)
        return { identity, digests, judged: judgeByQuarantines(identity, quarantines) };
      return { identity, digests, judged: judgeIdentity(identity, then, registrations, terms(own)) };
    }),
  };
}

/** One event that cannot be read must not keep all others from being judged. */
function attestedBy(v: Vouchsafe, { index, body }: LogEvent): AttestedThen | undefined {
  try {
    return attestedIn(body);
  } catch (cause) {
    v.report(`what was attested for the identity of event ${index} cannot be read`, cause);
    return undefined;
  }
}

const AGENT_REVOKED: Judged = {
  case: "denied",
  reasons: [{ code: "agent-revoked", message: "The agent that asked for it was revoked" }],
};

/**
 * What cannot be judged now is left out, told of and looked at again: it must not keep the others from their turn.
 *
 * @throws VouchsafeError `unavailable` where that is so of all
 */
async function readStandings(
  v: Vouchsafe,
  project: ProjectId,
  registered: readonly { then: AttestedThen; registrations: readonly WorkloadPolicy[] }[],
): Promise<ReadonlyMap<Digest, DigestStanding>> {
  const named = new Map<Digest, Set<string>>();
  for (const { then, registrations } of registered) {
    const policies = registrations.flatMap(({ spec }) => policiesOf(spec));
    for (const digest of registrations.length === 0 ? [] : digestsOf(then.components)) {
      named.set(digest, new Set([...(named.get(digest) ?? []), ...policies]));
    }
  }
  const standings = new Map<Digest, DigestStanding>();
  const wanted = [...named];
  let away: VouchsafeError | undefined;
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    await Promise.all(
      wanted.slice(at, at + AT_ONCE).map(async ([digest, policies]) => {
        try {
          standings.set(digest, await standingOf(v, project, digest, [...policies]));
        } catch (cause) {
          // Too much may wait to be verified or written, which has an end and is told elsewhere.
          if (hasCode(cause, "unavailable")) away = cause;
          else v.report("live identities could not be decided anew", cause);
        }
      }),
    );
  }
  if (standings.size === 0 && away !== undefined) throw away;
  return standings;
}

function noteEnds(ends: Ends, judged: readonly JudgedIdentity[], now: number): void {
  for (const { identity, judged: found } of judged) {
    if (found?.case === "denied") continue;
    const end = found === undefined ? now + AGAIN : found.until;
    if (end >= identity.expiresAt) continue;
    for (const digest of identity.digests) ends.set(digest, Math.min(end, ends.get(digest) ?? end));
  }
}

function eventsOf(denied: readonly JudgedIdentity[], moved: Moved): EventDraft[] {
  const groups = new Map<string, RevokedIdentities>();
  for (const { identity, judged } of denied) {
    if (judged?.case !== "denied") continue;
    const { digests, kind, serial, spiffeId, workload, requester } = identity;
    const reasons = [...new Set(judged.reasons.map(({ code }) => code))].sort();
    const cause = causeOf(identity, moved);
    const key = JSON.stringify([digests, reasons, cause]);
    const expiresAt = new Date(identity.expiresAt).toISOString();
    const others = groups.get(key)?.identities ?? [];
    const identities = [...others, { kind, serial, spiffeId, workload, requester, expiresAt }];
    groups.set(key, { identities, digests, reasons, cause });
  }
  return [...groups.values()].flatMap(({ identities, ...shared }) =>
    chunks(identities).map((some): EventDraft => {
      const body: RevokedIdentities = { identities: some, ...shared };
      return { type: "identity.revoked", about: shared.digests, body: body as unknown as JsonObject };
    }),
  );
}

/** The newest event that touched what it rests on since it was granted. */
function causeOf({ digests, index }: IdentityRecord, moved: Moved): number | null {
  const newest = Math.max(-1, ...[PROJECT_CHAIN, ...digests].map((key) => moved.get(key) ?? -1));
  return newest > index ? newest : null;
}

function chunks<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / NAMED);
  return Array.from({ length: count }, (_, i) => all.slice(i * NAMED, (i + 1) * NAMED));
}
