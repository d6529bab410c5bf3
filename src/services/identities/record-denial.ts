import type { EventDraft, ProjectId } from "../../custody/events.ts";
import type { Writer } from "../../custody/writer.ts";
import type { Digest, JsonObject } from "../../in-toto-attestation/types.ts";
import type { Components } from "../../policy/components.ts";
import type { DenialReason } from "./judge-workload.ts";

export interface Denial {
  readonly project: ProjectId;
  /** As `requesterName` names it. */
  readonly requester: string;
  readonly request: { readonly selectors: readonly string[]; readonly components: Components };
  /** The digests that the log has verified evidence about: only their chains are joined. */
  readonly known: readonly Digest[];
  readonly reasons: readonly DenialReason[];
}

/** Records that identities were denied: at most an event a minute on each node for a requester, what runs and the reasons. */
export interface Denials {
  /** Resolves when the denial is in the log, or counted for the event that its minute ends with. */
  record(denial: Denial): Promise<void>;
  /** Records what was counted. */
  close(): Promise<void>;
}

export interface DenialsOptions {
  readonly writer: Pick<Writer, "append">;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly report: (problem: string, cause: unknown) => void;
}

interface Counted {
  readonly denial: Denial;
  /** When its last event was appended. */
  recordedAt: number;
  /** Denials since then, and when the first of them was. */
  count: number;
  since: number;
}

const MINUTE = 60_000;
const NEVER = Number.NEGATIVE_INFINITY;
/**
 * Denials of one requester that are told apart in a minute. A workload can run any number of files: those beyond
 * are counted together, without digests, so that the log is not a place to write to at will.
 */
export const TOLD_APART = 64;

export function createDenials({ writer, clock, report }: DenialsOptions): Denials {
  const counted = new Map<string, Counted>();

  async function append({ denial, count, since }: Counted): Promise<void> {
    await writer.append({
      project: denial.project,
      asOf: 0,
      restsOn: [],
      events: [event(denial, count, since)],
    });
  }

  /** What was denied again in a minute that has passed is recorded; what was not is forgotten. */
  async function sweep(now: number): Promise<void> {
    for (const [key, entry] of [...counted]) {
      if (now - entry.recordedAt < MINUTE) continue;
      counted.delete(key);
      if (entry.count > 0) await append(entry).catch((cause: unknown) => keep(key, entry, cause));
    }
  }

  /** What could not be recorded is counted on: the next sweep, or the next denial, records it. */
  function keep(key: string, entry: Counted, cause: unknown): void {
    const newer = counted.get(key);
    counted.set(key, { ...(newer ?? entry), count: entry.count + (newer?.count ?? 0), since: entry.since });
    report("denied identities could not be recorded", cause);
  }
  const timer = setInterval(() => void sweep(clock()), MINUTE);
  timer.unref();

  return {
    async record(given) {
      const now = clock();
      const denial = counted.has(keyOf(given)) || hasRoom(counted, given) ? given : withoutDetails(given);
      const key = keyOf(denial);
      const before = counted.get(key);
      if (before !== undefined && now - before.recordedAt < MINUTE) {
        if (before.count === 0) before.since = now;
        before.count += 1;
        return;
      }
      const count = before?.count ?? 0;
      const since = count > 0 ? before?.since : undefined;
      const entry = { denial, recordedAt: now, count: 0, since: now };
      // Set first: those denied meanwhile count on it.
      counted.set(key, entry);
      try {
        await append({ ...entry, count: count + 1, since: since ?? now });
      } catch (error) {
        // Nobody was told of this denial, so it is not counted, unlike those before and meanwhile; the next one is recorded at once.
        const told = count + entry.count;
        if (told === 0) counted.delete(key);
        else counted.set(key, { ...entry, recordedAt: NEVER, count: told, since: since ?? entry.since });
        throw error;
      }
    },
    async close() {
      clearInterval(timer);
      await sweep(Number.POSITIVE_INFINITY);
    },
  };
}

function hasRoom(counted: ReadonlyMap<string, Counted>, { project, requester }: Denial): boolean {
  let told = 0;
  for (const { denial } of counted.values()) {
    if (denial.project === project && denial.requester === requester) told += 1;
  }
  return told < TOLD_APART;
}

function withoutDetails(denial: Denial): Denial {
  return { ...denial, request: { selectors: [], components: new Map() }, known: [], reasons: [OTHERS] };
}

const OTHERS: DenialReason = { code: "too-many-denials", message: "More than are told apart in a minute" };

function keyOf({ project, requester, request, reasons }: Denial): string {
  return JSON.stringify([project, requester, [...request.components], toldOf(reasons)]);
}

/** What is told of reasons, each once: those who are denied alike are counted as one, and what is told of one is true of all. */
function toldOf(reasons: readonly DenialReason[]): JsonObject[] {
  const told = reasons.map(({ code, policy, component, workload, because, digest }) => {
    const said = { code, ...(policy && { policy }), ...(component && { component }) };
    // What a policy in audit mode would do is told with what it would do it for.
    const isTried = workload !== undefined || code === "would-deny";
    const would = isTried && {
      ...(workload && { workload }),
      ...(because && { because }),
      ...(digest && { digest }),
    };
    return { ...said, ...would };
  });
  return [...new Map(told.map((reason) => [JSON.stringify(reason), reason])).values()];
}

function event({ requester, request, known, reasons }: Denial, count: number, since: number): EventDraft {
  return {
    type: "identity.denied",
    about: known,
    body: {
      requester,
      selectors: request.selectors,
      components: Object.fromEntries(request.components),
      reasons: toldOf(reasons),
      count,
      since: new Date(since).toISOString(),
    },
  };
}
