import type { Digest } from "../in-toto-attestation/types.ts";
import type { Check, EvidenceOnApproval } from "../policy/types.ts";
import type { Frontier } from "../tlog/frontier.ts";
import type { FullTile, TileReader } from "../tlog/tiles.ts";
import type { ChainKey, EventDraft, ProjectId } from "./events.ts";

/** The tree as of the last commit. */
export interface LogHead extends Frontier {
  readonly root: Uint8Array;
  /** Milliseconds since the epoch of the newest entry. */
  readonly time: number;
  /** The signed note of this size; empty while the log is. */
  readonly checkpoint: string;
}

/** A chain of a project. */
export interface ChainRef {
  readonly project: ProjectId;
  readonly key: ChainKey;
}

/** A chain, and the log index from which on an event that changes decisions would make something stale. */
export interface WatchedChain extends ChainRef {
  readonly since: number;
}

/** How far a chain has grown. */
export interface ChainEnd {
  /** Index of its last event, or null. */
  readonly last: number | null;
  /** Index of its last event from `since` on that is no mere record (`RECORDS`), or null. */
  readonly changed: number | null;
}

/** An event with its place in the log. */
export interface LogEntry {
  readonly index: number;
  readonly project: ProjectId;
  readonly draft: EventDraft;
  readonly time: number;
  readonly leaf: Uint8Array;
  readonly leafHash: Uint8Array;
  readonly salt: Uint8Array;
  readonly body: Uint8Array;
}

export interface Evidence {
  readonly id: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A policy set's files, a trust snapshot or an image's manifest, by the sha256 of its bytes. */
export interface Document {
  readonly hash: string;
  readonly kind: "policy" | "trust" | "manifest";
  readonly bytes: Uint8Array;
}

/** The current verdict of an artifact under a policy. */
export interface Verdict {
  readonly artifact: Digest;
  readonly policy: string;
  readonly policyHash: string;
  readonly trustHash: string;
  readonly evidenceSet: string;
  readonly outcome: "passed" | "failed";
  readonly slsaLevel: number;
  readonly attestations: readonly Digest[];
  readonly checks: readonly Check[];
  /** Milliseconds since the epoch; absent when time alone does not end it. */
  readonly validUntil?: number;
  /** Other artifacts whose evidence it was made from: containers, and source revisions that attestations name. */
  readonly restsOn: readonly Digest[];
  /** Of a pass whose policy asks for approvals. */
  readonly approvals?: EvidenceOnApproval;
  /** The event that recorded this outcome. */
  readonly index: number;
}

/** A verdict that was computed anew with the same outcome: its row moves on, nothing is logged. */
export type Confirmation = Verdict;

/** All that one commit writes. Either everything in it is stored or nothing. */
export interface LogBatch {
  /** With consecutive indexes from the head's size on; empty when there are only confirmations. */
  readonly entries: readonly LogEntry[];
  /** Tiles that these entries completed. */
  readonly tiles: readonly FullTile[];
  readonly head: LogHead;
  /** `index` is that of the event that stands for it. */
  readonly evidence: readonly (Evidence & { readonly project: ProjectId; readonly index: number })[];
  readonly documents: readonly (Document & { readonly project: ProjectId })[];
  /** `asOf` is the log size that they hold at. */
  readonly confirmations: readonly (Confirmation & {
    readonly project: ProjectId;
    readonly asOf: number;
  })[];
}

/** The log while its head is locked. */
export interface LockedLog {
  /** Read after the lock was got: nobody else can move it before this transaction ends. */
  readonly head: LogHead;
  readonly readTiles: TileReader;
  /** For each chain, in order, how far it has grown. */
  chainEnds(chains: readonly WatchedChain[]): Promise<ChainEnd[]>;
  /** At most once in a transaction. */
  write(batch: LogBatch): Promise<void>;
}

/**
 * What the writer asks of storage. Implementations MUST
 * - hold the head's lock, against every process that shares the store, from before `head` is read until the
 *   transaction has ended;
 * - when `locked` resolves, have committed everything written, and, if `durable`, have it survive the loss of
 *   power;
 * - when it rejects with anything but `CommitUnknown`, have stored nothing;
 * - reject with `CommitUnknown` when the answer to the commit was lost.
 */
export interface LogStore {
  readonly durable: boolean;
  locked<T>(run: (log: LockedLog) => Promise<T>): Promise<T>;
}

/** Nobody can say yet whether the transaction was committed: ask again under the lock. */
export class CommitUnknown extends Error {
  override readonly name = "CommitUnknown";
}
