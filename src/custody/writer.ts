import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, hasCode, VouchsafeError } from "../errors.ts";
import { type Amount, createFairQueue } from "../fair-queue.ts";
import type { ChainKey, EventDraft, ProjectId } from "./events.ts";
import type { LogSigners } from "./log-signers.ts";
import type { ChainRef, Confirmation, Document, Evidence, LogStore } from "./log-store.ts";
import type { Receipt } from "./receipt.ts";
import type { Acknowledged } from "./writer/acknowledged.ts";
import { type KnownTree, refuseFork } from "./writer/consistency.ts";
import {
  commitGroup,
  type GroupCommit,
  type GroupCommitContext,
  OutcomeUnknown,
  tookPlace,
} from "./writer/group-commit.ts";
import { pooled } from "./writer/random-pool.ts";
import { type PreparedProposal, prepareProposal } from "./writer/sequence.ts";

/** Something to append, and what must not have changed meanwhile. All of it is stored, or nothing. */
export interface Proposal {
  readonly project: ProjectId;
  /** Whose line it waits in where that is not the project's: what stops a project must not wait for all that the project does. */
  readonly turnOf?: ProjectId;
  /** Log size at which everything that this rests on was read. */
  readonly asOf: number;
  /**
   * Chains of the project whose events after `asOf`, mere records apart, make the proposal stale: the artifacts
   * that it judged, and `*` when it rests on the active policies or trust.
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

export interface Writer {
  /**
   * Resolves when the proposal is committed, with a receipt for each event, or found stale.
   *
   * Throws `conflict` (something of it is recorded already), `too-many-items`, `log-inconsistent`,
   * `log-key-mismatch`, and `unavailable` (too much of the project waits, database away). After `unavailable` it may have been committed all the same if
   * the database went away at that very moment: asking again is safe, as it is then stale or a conflict.
   */
  append(proposal: Proposal): Promise<Appended>;
  /** Calls back after each commit of this node, before its receipts are out. Returns the way to stop. Must not throw. */
  onCommitted(listener: CommitListener): () => void;
  /** What waits to be committed. */
  readonly waiting: Amount;
  /** Refuses new proposals and resolves when those taken are answered. */
  close(): Promise<void>;
}

/** Entries [from, to) were committed, or verdicts confirmed without any; both changed these chains. */
export type CommitListener = (from: number, to: number, touched: readonly ChainRef[]) => void;

export interface WriterLimits {
  /** Proposals of a project that wait at most where no other has any waiting, and their bytes; all together may be twice that. */
  readonly queue: number;
  readonly queueBytes: number;
  /** Proposals of one transaction at most, and their bytes unless one alone has more. */
  readonly batch: number;
  readonly batchBytes: number;
  /** Milliseconds for which the outcome of a lost commit is sought. */
  readonly patience: number;
}

const MIB = 1024 * 1024;
const LIMITS: WriterLimits = {
  queue: 4_096,
  queueBytes: 64 * MIB,
  batch: 512,
  batchBytes: 16 * MIB,
  patience: 30_000,
};

const ANSWERED_AT_ONCE = 32;

export interface WriterOptions {
  readonly store: LogStore;
  readonly signers: LogSigners;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly random: (length: number) => Uint8Array;
  readonly acknowledged: Acknowledged;
  /** Throws `log-inconsistent` once it was learnt elsewhere that this log must not grow. */
  readonly requireGrowable?: () => void;
  /** Told of each commit of this node, and how long it took. */
  readonly observe?: (events: number, seconds: number) => void;
  readonly limits?: Partial<WriterLimits>;
  /** For those who follow work through the batches that it becomes a part of; absent: nobody does. */
  readonly batches?: {
    /** What appends now, as `commit` is told of it. */
    current(): unknown;
    commit<T>(of: readonly unknown[], work: () => Promise<T>): Promise<T>;
  };
}

interface Waiting extends PreparedProposal {
  readonly origin: unknown;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

/** The writer of one process: any number of them, in any number of processes, may share a store. */
export function createWriter(options: WriterOptions): Writer {
  const { store, signers, clock, random, acknowledged } = options;
  const { requireGrowable = () => {}, observe = () => {}, batches } = options;
  const limits = { ...LIMITS, ...options.limits };
  const drawSalt = pooled(random);
  const context: GroupCommitContext = { store, signers, clock };
  const listeners = new Set<CommitListener>();
  const queue = createFairQueue<Waiting>({ entries: limits.queue, bytes: limits.queueBytes });
  let known: KnownTree = acknowledged.tree;
  let draining: Promise<void> | undefined;
  let closed = false;
  const answering = new Set<Promise<void>>();

  /** Takes batches until the queue is empty: what arrives during one flush makes up the next. */
  async function drain(): Promise<void> {
    while (!queue.isEmpty) {
      // Lets everything that this turn of the event loop has to say join the batch.
      await immediate();
      await flush(queue.take({ entries: limits.batch, bytes: limits.batchBytes }));
    }
    draining = undefined;
  }

  /**
   * When a batch fails, its halves are tried on their own, so that only the culprit fails and few are slowed
   * down by it.
   */
  async function flush(batch: readonly Waiting[]): Promise<void> {
    let committed: GroupCommit;
    const from = performance.now();
    try {
      const work = () => commit(batch);
      const origins = batch.map(({ origin }) => origin);
      committed = await (batches === undefined ? work() : batches.commit(origins, work));
    } catch (error) {
      if (batch.length === 1 || isEverybodys(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await flush(batch.slice(0, middle));
      await flush(batch.slice(middle));
      return;
    }
    answer(batch, committed);
    observe(committed.batch.entries.length, (performance.now() - from) / 1000);
  }

  /** Commits once, whatever becomes of the answer to the commit. */
  async function commit(batch: readonly Waiting[]): Promise<GroupCommit> {
    for (;;) {
      try {
        return await commitGroup(context, batch, async (log) => {
          requireGrowable();
          await refuseFork(log, known, signers);
        });
      } catch (error) {
        if (!(error instanceof OutcomeUnknown)) throw error;
        if (await findOut(error)) return error.attempted;
      }
    }
  }

  async function findOut(unknown: OutcomeUnknown): Promise<boolean> {
    const deadline = performance.now() + limits.patience;
    for (;;) {
      try {
        return await tookPlace(store, unknown.attempted);
      } catch (error) {
        if (performance.now() > deadline || !isUnavailable(error)) {
          throw new VouchsafeError("unavailable", "Whether this was committed is not known yet", {
            cause: error,
          });
        }
        await sleep(100);
      }
    }
  }

  /** Gives the answers out when the tree is on this node's disk too; the next flush need not wait for that. */
  function answer(batch: readonly Waiting[], { batch: written, answers }: GroupCommit): void {
    known = written.head;
    const answered = giveOut(batch, answers, known);
    answering.add(answered);
    void answered.finally(() => answering.delete(answered));
    const touched = touchedBy(batch, answers);
    const from = known.size - written.entries.length;
    if (touched.length > 0) for (const listener of listeners) listener(from, known.size, touched);
  }

  async function giveOut(
    batch: readonly Waiting[],
    answers: readonly Appended[],
    tree: KnownTree,
  ): Promise<void> {
    try {
      await acknowledged.record(tree);
      for (const [i, { resolve }] of batch.entries()) {
        // Those who are answered go on at once: between them the next flush, which is under way, has its turns.
        if (i % ANSWERED_AT_ONCE === 0) await immediate();
        resolve(answers[i] as Appended);
      }
    } catch (cause) {
      const error = new VouchsafeError("unavailable", "What was committed could not be acknowledged", {
        cause,
      });
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    async append(proposal) {
      if (closed) throw new VouchsafeError("unavailable", "The node is shutting down");
      const prepared = prepareProposal(proposal, drawSalt);
      const { promise, resolve, reject } = Promise.withResolvers<Appended>();
      if (
        !queue.push(
          proposal.turnOf ?? proposal.project,
          { ...prepared, origin: batches?.current(), resolve, reject },
          prepared.bytes,
        )
      ) {
        throw new VouchsafeError("unavailable", "Too much is waiting to be written; try again shortly");
      }
      draining ??= drain();
      return promise;
    },
    onCommitted(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get waiting() {
      return queue.size;
    },
    async close() {
      closed = true;
      await draining;
      await Promise.all(answering);
    },
  };
}

/** Chains whose events or verdicts the answered proposals changed. */
function touchedBy(batch: readonly Waiting[], answers: readonly Appended[]): ChainRef[] {
  return batch.flatMap(({ proposal: { project, events, confirmations = [] } }, i) => {
    if (answers[i]?.outcome !== "committed") return [];
    const keys = [...events.flatMap(({ about }) => about), ...confirmations.map(({ artifact }) => artifact)];
    return keys.map((key) => ({ project, key }));
  });
}

const EVERYBODYS: ReadonlySet<ErrorCode> = new Set(["unavailable", "log-inconsistent", "log-key-mismatch"]);

/** Errors that no proposal of the batch has caused, and that each of them would meet again. */
function isEverybodys(error: unknown): boolean {
  return error instanceof VouchsafeError && EVERYBODYS.has(error.code);
}

function isUnavailable(error: unknown): boolean {
  return hasCode(error, "unavailable");
}
