import { VouchsafeError } from "../errors.ts";
import { leafHash } from "../tlog/hash.ts";
import { bodyHash, encodeBody, SALT_BYTES } from "./body.ts";
import type { ChainKey, EventDraft, ProjectId } from "./events.ts";
import { encodeLeaf } from "./leaf.ts";
import type { ChainRef, LogEntry, LogHead } from "./log-store.ts";
import type { Proposal } from "./writer.ts";

/** Chains that one event can join. */
const MAX_ABOUT = 4_096;

/** A proposal with all that can be computed before its place in the log is known. */
export interface PreparedProposal {
  readonly proposal: Proposal;
  readonly events: readonly PreparedEvent[];
  /** Roughly what it takes in memory and on the wire. */
  readonly bytes: number;
}

interface PreparedEvent {
  readonly draft: EventDraft;
  readonly salt: Uint8Array;
  readonly body: Uint8Array;
  readonly bodyHash: Uint8Array;
}

/** Throws `too-many-items`, and `RangeError` for a proposal that is a mistake of ours. */
export function prepareProposal(
  proposal: Proposal,
  random: (length: number) => Uint8Array,
): PreparedProposal {
  const events = proposal.events.map((draft) => {
    if (draft.about.length > MAX_ABOUT) {
      throw new VouchsafeError("too-many-items", `An event joins at most ${MAX_ABOUT} chains`);
    }
    const salt = random(SALT_BYTES);
    const body = encodeBody(draft);
    return { draft, salt, body, bodyHash: bodyHash(salt, body) };
  });
  if (proposal.evidence !== undefined && events.length === 0) {
    throw new RangeError("evidence is stored only with the event that accepts it");
  }
  const bytes =
    events.reduce((sum, { draft, body }) => sum + body.length + 100 * draft.about.length, 0) +
    (proposal.evidence?.bytes.length ?? 0) +
    (proposal.documents ?? []).reduce((sum, document) => sum + document.bytes.length, 0);
  return { proposal, events, bytes };
}

/** The last index of each chain that a batch reads or extends. */
export type LastIndexes = Map<string, number | null>;

/** Every chain that the proposals rest on or extend, once. */
export function chainsOf(prepared: readonly PreparedProposal[]): ChainRef[] {
  const chains = new Map<string, ChainRef>();
  for (const { proposal } of prepared) {
    const { project, restsOn, events } = proposal;
    for (const key of [...restsOn, ...events.flatMap(({ about }) => about)]) {
      chains.set(chainId(project, key), { project, key });
    }
  }
  return [...chains.values()];
}

export function lastIndexesOf(chains: readonly ChainRef[], indexes: readonly (number | null)[]): LastIndexes {
  return new Map(chains.map(({ project, key }, i) => [chainId(project, key), indexes[i] ?? null]));
}

/** What became of a proposal under the lock. */
export type Fate =
  | { readonly case: "sequenced"; readonly proposal: Proposal; readonly entries: readonly LogEntry[] }
  | { readonly case: "stale" };

/**
 * Gives the events of all proposals that still hold their places after the head, in the order of the proposals.
 * One that an earlier proposal of the same batch made stale is treated as if that had been committed long ago.
 *
 * Throws `conflict` unless the log's first event, and no other, is `log.created`.
 */
export function sequence(
  head: LogHead,
  prepared: readonly PreparedProposal[],
  last: LastIndexes,
  now: number,
): Fate[] {
  const time = Math.max(head.time, now);
  let size = head.size;
  return prepared.map(({ proposal, events }) => {
    if (isStale(proposal, last, head.size)) return { case: "stale" };
    const { project } = proposal;
    const entries = events.map(({ draft, salt, body, bodyHash }): LogEntry => {
      const index = size;
      if ((index === 0) !== (draft.type === "log.created")) {
        throw new VouchsafeError("conflict", "The log begins with log.created, and has it nowhere else");
      }
      size += 1;
      const previous = draft.about.map((key) => last.get(chainId(project, key)) ?? null);
      for (const key of draft.about) last.set(chainId(project, key), index);
      const leaf = encodeLeaf({ type: draft.type, time, project, bodyHash, previous });
      return { index, project, draft, time, leaf, leafHash: leafHash(leaf), salt, body };
    });
    return { case: "sequenced", proposal, entries };
  });
}

/** A proposal that was made from a log longer than this one was made from another log: it is stale as well. */
function isStale({ project, asOf, restsOn }: Proposal, last: LastIndexes, size: number): boolean {
  return asOf > size || restsOn.some((key) => (last.get(chainId(project, key)) ?? -1) >= asOf);
}

function chainId(project: ProjectId, key: ChainKey): string {
  return `${project} ${key}`;
}
