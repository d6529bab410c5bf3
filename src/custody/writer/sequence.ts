import { VouchsafeError } from "../../errors.ts";
import { leafHash } from "../../tlog/hash.ts";
import { bodyHash, encodeBody, SALT_BYTES } from "../body.ts";
import { type ChainKey, type EventDraft, type ProjectId, RECORDS } from "../events.ts";
import { encodeLeaf } from "../leaf.ts";
import type { ChainEnd, LogEntry, LogHead, WatchedChain } from "../log-store.ts";
import type { Proposal } from "../writer.ts";

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

/** How far each chain has grown that a batch reads or extends. */
export type ChainEnds = Map<string, ChainEnd>;

const UNTOUCHED: ChainEnd = { last: null, changed: null };

/** Every chain that the proposals rest on or extend, once, from where the earliest of them read it. */
export function chainsOf(prepared: readonly PreparedProposal[]): WatchedChain[] {
  const chains = new Map<string, WatchedChain>();
  const add = (project: ProjectId, key: ChainKey, since: number) => {
    const known = chains.get(chainId(project, key))?.since ?? since;
    chains.set(chainId(project, key), { project, key, since: Math.min(known, since) });
  };
  for (const { proposal } of prepared) {
    const { project, asOf, restsOn, events } = proposal;
    for (const key of restsOn) add(project, key, asOf);
    for (const { about } of events) for (const key of about) add(project, key, Number.MAX_SAFE_INTEGER);
  }
  return [...chains.values()];
}

export function chainEndsOf(chains: readonly WatchedChain[], ends: readonly ChainEnd[]): ChainEnds {
  return new Map(chains.map(({ project, key }, i) => [chainId(project, key), ends[i] ?? UNTOUCHED]));
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
  ends: ChainEnds,
  now: number,
): Fate[] {
  const time = Math.max(head.time, now);
  let size = head.size;
  return prepared.map(({ proposal, events }) => {
    if (isStale(proposal, ends, head.size)) return { case: "stale" };
    const { project } = proposal;
    const entries = events.map(({ draft, salt, body, bodyHash }): LogEntry => {
      const index = size;
      if ((index === 0) !== (draft.type === "log.created")) {
        throw new VouchsafeError("conflict", "The log begins with log.created, and has it nowhere else");
      }
      size += 1;
      const before = draft.about.map((key) => ends.get(chainId(project, key)) ?? UNTOUCHED);
      const previous = before.map(({ last }) => last);
      const isRecord = RECORDS.includes(draft.type);
      for (const [i, key] of draft.about.entries()) {
        const changed = isRecord ? (before[i] ?? UNTOUCHED).changed : index;
        ends.set(chainId(project, key), { last: index, changed });
      }
      const leaf = encodeLeaf({ type: draft.type, time, project, bodyHash, previous });
      return { index, project, draft, time, leaf, leafHash: leafHash(leaf), salt, body };
    });
    return { case: "sequenced", proposal, entries };
  });
}

/** A proposal that was made from a log longer than this one was made from another log: it is stale as well. */
function isStale({ project, asOf, restsOn }: Proposal, ends: ChainEnds, size: number): boolean {
  return asOf > size || restsOn.some((key) => (ends.get(chainId(project, key))?.changed ?? -1) >= asOf);
}

function chainId(project: ProjectId, key: ChainKey): string {
  return `${project} ${key}`;
}
