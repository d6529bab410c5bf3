import type { ProjectId } from "../../custody/events.ts";
import { readHead } from "../../db/log.ts";
import { type KeptAttestation, keptAttestation, keptAttestations, MAX_USES } from "../../db/retention.ts";
import { hasCode } from "../../errors.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { type Keeping, keepingOf, type RetentionSpec, shortestKeep } from "../../policy/retention.ts";
import { appendFresh } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { evaluateArtifacts } from "../decisions/evaluate-artifacts.ts";
import { inTurns, type Pages, PROJECTS_AT_ONCE } from "../in-turns.ts";
import { activeRetention } from "./retention-classes.ts";

/** Attestations looked at and expired together. */
const PAGE = 64;
/** Attestations that one request looks at. */
const MAX_LOOKED_AT = 4_096;

/** What events name as the caller when a node sweeps by itself. */
const SWEEP = "retention";

export interface ExpiredEvidence {
  readonly attestation: Digest;
  /** The artifacts that it is about. */
  readonly artifacts: readonly Digest[];
  /** The class that kept it longest. */
  readonly class: string;
  readonly acceptedAt: string;
  readonly keptUntil: string;
  /** Log index of the event; null where nothing was done. */
  readonly index: number | null;
}

export interface Sweep {
  readonly expired: readonly ExpiredEvidence[];
  /** What was due and stays, for a hold covers it or an identity rests on it. */
  readonly held: number;
  readonly live: number;
  /** Where to go on (`after`); null when all was looked at. */
  readonly next: number | null;
}

type Who = Pick<Caller, "project" | "token">;

/**
 * Deletes the bytes of evidence that nothing keeps any more (`keepingOf`), each by an event of its own in the transaction that takes
 * them away. What was judged from them is judged anew without them, and what would be judged better keeps them. Looks at some thousand attestations, in the order of the log.
 *
 * @param after log index to go on after
 * @param dryRun only says what would be deleted
 */
export async function sweepEvidence(
  v: Vouchsafe,
  who: Who,
  { after = -1, dryRun = false }: { readonly after?: number; readonly dryRun?: boolean } = {},
): Promise<Sweep> {
  const found = { expired: [] as ExpiredEvidence[], held: 0, live: 0 };
  let last = after;
  for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += PAGE) {
    const page = await sweepPage(v, who, last, dryRun);
    found.expired.push(...page.expired);
    found.held += page.held;
    found.live += page.live;
    if (page.next === null) return { ...found, next: null };
    last = page.next;
  }
  return { ...found, next: last };
}

/** The same of everything in every project, a page at a time: what a node does by itself. */
export async function sweepByItself(v: Vouchsafe, signal: AbortSignal): Promise<void> {
  const failed = (cause: unknown) => v.report("evidence that is due could not be deleted", cause);
  const projects = await v.projects.all();
  await inTurns(
    projects.map(({ id }) => sweepPages(v, id)),
    { atOnce: PROJECTS_AT_ONCE, signal, failed },
  );
}

async function* sweepPages(v: Vouchsafe, project: ProjectId): Pages {
  for (let after: number | null = -1; after !== null; ) {
    after = (await sweepPage(v, { project, token: SWEEP }, after, false)).next;
    yield;
  }
}

async function sweepPage(v: Vouchsafe, who: Who, after: number, dryRun: boolean): Promise<Sweep> {
  const { project } = who;
  const now = v.clock();
  const spec = await activeRetention(v, project);
  const acceptedBy = spec === undefined ? Number.NEGATIVE_INFINITY : now - shortestKeep(spec);
  if (!Number.isFinite(acceptedBy)) return { expired: [], held: 0, live: 0, next: null };
  const page = await keptAttestations(v.database.kysely, project, { acceptedBy, after, limit: PAGE, now });
  const keepings = page.map((one) => [one, keepingFor(spec, one, now)] as const);
  const due = keepings.filter(([, keeping]) => keeping.case === "due");
  const expired: ExpiredEvidence[] = [];
  if (dryRun) expired.push(...due.flatMap(([one, keeping]) => expiryOf(one, keeping) ?? []));
  else {
    for (const wave of wavesOf(due.map(([one]) => one))) {
      const gone = await Promise.all(wave.map(({ id }) => expire(v, who, id)));
      expired.push(...gone.filter((one) => one !== undefined));
    }
  }
  return {
    expired,
    held: keepings.filter(([, keeping]) => keeping.case === "held").length,
    live: keepings.filter(([, keeping]) => keeping.case === "live").length,
    next: page.length < PAGE ? null : (page.at(-1)?.index ?? null),
  };
}

/** What goes at once: no two that are kept for the same artifact, for each would make the other stale. */
function wavesOf(due: readonly KeptAttestation[]): KeptAttestation[][] {
  const waves: { readonly artifacts: Set<Digest>; readonly wave: KeptAttestation[] }[] = [];
  for (const one of due) {
    let free = waves.find(({ artifacts }) => !one.uses.some(({ artifact }) => artifacts.has(artifact)));
    if (free === undefined) {
      free = { artifacts: new Set(), wave: [] };
      waves.push(free);
    }
    free.wave.push(one);
    for (const { artifact } of one.uses) free.artifacts.add(artifact);
  }
  return waves.map(({ wave }) => wave);
}

/** What has more uses than are looked at is kept. */
function keepingFor(spec: RetentionSpec | undefined, { uses }: KeptAttestation, now: number): Keeping {
  return uses.length < MAX_USES
    ? keepingOf(spec, uses, now)
    : { case: "kept", until: Number.POSITIVE_INFINITY };
}

function expiryOf(
  { id, acceptedAt, subjects }: KeptAttestation,
  keeping: Keeping,
): ExpiredEvidence | undefined {
  if (keeping.case !== "due") return undefined;
  return {
    attestation: id,
    artifacts: subjects,
    class: keeping.class,
    acceptedAt: new Date(acceptedAt).toISOString(),
    keptUntil: new Date(keeping.until).toISOString(),
    index: null,
  };
}

/**
 * Bytes, event, and what is judged anew without them are one transaction: a crash leaves all or nothing. It rests on the chains of all on
 * whose account the evidence was kept: a hold or a class that comes before it makes it stale. What comes to rest on it in between,
 * and is held, no chain of these tells: there the database refuses it (migration 0012).
 *
 * @returns undefined where something keeps it after all: among that a verdict that would pass without it, or at a higher level, and a
 *   revocation, which can be taken back. What speaks against an artifact must not vanish from its judgement by growing old.
 */
async function expire(
  v: Vouchsafe,
  { project, token }: Who,
  id: Digest,
): Promise<ExpiredEvidence | undefined> {
  const { kysely } = v.database;
  try {
    const { committed, expired } = await appendFresh(v, async () => {
      const { size: asOf } = await readHead(kysely);
      const now = v.clock();
      const kept = await keptAttestation(kysely, project, id, now);
      const keeping = kept && keepingFor(await activeRetention(v, project), kept, now);
      const expired = kept && keeping && expiryOf(kept, keeping);
      const nothing = { expired: undefined, proposal: { project, asOf, restsOn: [], events: [] } };
      if (expired === undefined) return nothing;
      const uses = [...new Set(kept?.uses.map(({ artifact }) => artifact))];
      const without = await evaluateArtifacts(v, project, uses, { removed: id });
      if (without.improves || without.removesRevoked) return nothing;
      const { artifacts, index: _, ...body } = expired;
      const event = { type: "evidence.expired", about: artifacts, body: { ...body, caller: token } } as const;
      const { events, confirmations, basis } = without;
      const proposal = { project, asOf, restsOn: basis.restsOn, events: [event, ...events], confirmations };
      return { expired, proposal };
    });
    const [event] = committed;
    return expired && event && { ...expired, index: event.index };
  } catch (error) {
    if (hasCode(error, "conflict")) return undefined;
    throw error;
  }
}
