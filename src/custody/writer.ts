import type { ChainKey, EventDraft, ProjectId } from "./events.ts";
import type { Confirmation, Document, Evidence, LogStore } from "./log-store.ts";
import type { Receipt } from "./receipt.ts";

/** Something to append, and what must not have changed meanwhile. All of it is stored, or nothing. */
export interface Proposal {
  readonly project: ProjectId;
  /** Log size at which everything that this rests on was read. */
  readonly asOf: number;
  /**
   * Chains of the project whose events after `asOf` make the proposal stale: the artifacts that it judged, and
   * `*` when it rests on the active policies or trust.
   */
  readonly restsOn: readonly ChainKey[];
  /** May be empty when there are only confirmations. */
  readonly events: readonly EventDraft[];
  readonly evidence?: Evidence;
  readonly documents?: readonly Document[];
  readonly confirmations?: readonly Confirmation[];
}

export interface AppendedEvent {
  readonly index: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly receipt: Receipt;
}

/** `stale`: something that the proposal rests on moved after `asOf`; nothing was stored. */
export type Appended =
  | { readonly outcome: "committed"; readonly events: readonly AppendedEvent[]; readonly size: number }
  | { readonly outcome: "stale"; readonly size: number };

/** A chain that a commit of this node touched. */
export interface TouchedChain {
  readonly project: ProjectId;
  readonly key: ChainKey;
}

export interface Writer {
  /**
   * Resolves when the proposal is committed, with a receipt for each event, or found stale.
   * Throws `unavailable` (queue full, database away), `log-inconsistent`, `malformed-leaf`.
   */
  append(proposal: Proposal): Promise<Appended>;
  /** Calls back after each commit of this node, before its receipts are given out. Returns the way to stop. */
  onCommitted(listener: (size: number, touched: readonly TouchedChain[]) => void): () => void;
  /** Refuses new proposals and resolves when those taken are answered. */
  close(): Promise<void>;
}
export type { LogStore };
