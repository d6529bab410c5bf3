import { type Growth, grow } from "../../tlog/frontier.ts";
import { completeTiles, tilesToComplete } from "../../tlog/tiles.ts";
import { type LogSigners, signTree } from "../log-signers.ts";
import { CommitUnknown, type LockedLog, type LogBatch, type LogStore } from "../log-store.ts";
import { createReceipt, remembering } from "../receipt.ts";
import type { Appended } from "../writer.ts";
import { extendsTree } from "./consistency.ts";
import { chainEndsOf, chainsOf, type Fate, type PreparedProposal, sequence } from "./sequence.ts";

export interface GroupCommitContext {
  readonly store: LogStore;
  readonly signers: LogSigners;
  readonly clock: () => number;
}

export interface GroupCommit {
  /** What was written, or, when nothing was, only the head as it stands. */
  readonly batch: LogBatch;
  /** The answers in the order of the proposals, to be given when the batch's tree is acknowledged. */
  readonly answers: readonly Appended[];
}

/**
 * Commits the proposals in one transaction, those that are stale apart. A crash before the commit leaves
 * nothing; a crash after it leaves events that nobody was given a receipt for, which is allowed.
 *
 * `refuseFork` throws when the head may not be extended. Throws `OutcomeUnknown` when the answer to the commit
 * was lost, and what the store throws.
 */
export async function commitGroup(
  context: GroupCommitContext,
  prepared: readonly PreparedProposal[],
  refuseFork: (log: LockedLog) => Promise<void>,
): Promise<GroupCommit> {
  let attempted: GroupCommit | undefined;
  try {
    return await context.store.locked(async (log) => {
      await refuseFork(log);
      const chains = chainsOf(prepared);
      const ends = chainEndsOf(chains, await log.chainEnds(chains));
      const fates = sequence(log.head, prepared, ends, context.clock());
      const { batch, growth } = await seal(context, log, fates);
      // The receipts are made while the database is at work: they are given out only after the commit.
      const writing = isEmpty(batch) ? undefined : log.write(batch);
      const [answers] = await Promise.all([answersOf(context, fates, batch, growth), writing]);
      attempted = { batch, answers };
      return attempted;
    });
  } catch (error) {
    if (!(error instanceof CommitUnknown) || attempted === undefined) throw error;
    throw new OutcomeUnknown(attempted, error);
  }
}

/** A commit whose answer was lost, with what it would have committed. */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
  readonly attempted: GroupCommit;

  constructor(attempted: GroupCommit, cause: CommitUnknown) {
    super(cause.message, { cause });
    this.attempted = attempted;
  }
}

/**
 * Whether the attempted commit took place after all. Under the lock, for then the lost transaction is over; by
 * a consistency proof, for others may have appended since.
 */
export async function tookPlace(store: LogStore, attempted: GroupCommit): Promise<boolean> {
  const { entries, head } = attempted.batch;
  // Without entries the tree does not tell; what such a batch writes may be written again.
  if (entries.length === 0) return false;
  return store.locked((log) => extendsTree(log, head));
}

/** Extends the tree by the entries, completes its tiles and signs it. */
async function seal(
  { signers }: GroupCommitContext,
  { head, readTiles }: LockedLog,
  fates: readonly Fate[],
): Promise<{ batch: LogBatch; growth: Growth }> {
  const holding = fates.filter((fate) => fate.case === "sequenced");
  const entries = holding.flatMap((fate) => fate.entries);
  const growth = grow(
    head,
    entries.map(({ leafHash }) => leafHash),
  );
  const { after, root } = growth;
  const tiles = completeTiles(growth, await readTiles(tilesToComplete(head.size, after.size)));
  const [newest] = entries.slice(-1);
  const batch = {
    entries,
    tiles,
    head:
      newest === undefined
        ? head
        : {
            ...after,
            root,
            time: newest.time,
            checkpoint: signTree({ size: after.size, root }, signers),
          },
    evidence: holding.flatMap(({ proposal: { project, evidence }, entries: [first] }) =>
      evidence === undefined || first === undefined ? [] : [{ ...evidence, project, index: first.index }],
    ),
    documents: holding.flatMap(({ proposal: { project, documents = [] } }) =>
      documents.map((document) => ({ ...document, project })),
    ),
    // Nothing that they rest on moved before the proposal's own entries, which they take account of.
    confirmations: holding.flatMap(({ proposal: { project, confirmations = [] }, entries }) => {
      const last = entries.at(-1)?.index;
      const asOf = last === undefined ? head.size : last + 1;
      return confirmations.map((confirmation) => ({ ...confirmation, project, asOf }));
    }),
  };
  return { batch, growth };
}

function isEmpty({ entries, documents, confirmations }: LogBatch): boolean {
  return entries.length + documents.length + confirmations.length === 0;
}

/** An answer for each proposal, with receipts against the checkpoint of the whole batch. */
async function answersOf(
  { store }: GroupCommitContext,
  fates: readonly Fate[],
  { head: { size, checkpoint } }: LogBatch,
  growth: Growth,
): Promise<Appended[]> {
  const encode = remembering();
  return fates.map((fate) => {
    if (fate.case === "stale") return { outcome: "stale", size };
    const events = fate.entries.map(({ index, time }) => {
      const proof = growth.inclusionProof(index);
      const event = { index, treeSize: size, proof, checkpoint, durable: store.durable, witnessed: false };
      const receipt = createReceipt(event, encode);
      return { index, time, receipt };
    });
    return { outcome: "committed", events, size };
  });
}
