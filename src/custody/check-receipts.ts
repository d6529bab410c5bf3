import { VouchsafeError } from "../errors.ts";
import type { Checkpoint } from "../tlog/checkpoint.ts";
import { type LogKeys, openLogCheckpoint, parseLogKeys } from "../tlog/log-keys.ts";
import { verifyConsistency } from "../tlog/proofs.ts";
import type { WitnessPolicy } from "../tlog/witness-policy.ts";
import { decodeLeaf } from "./leaf.ts";
import { checkCheckpoint, checkWitnesses } from "./pack/checkpoint.ts";
import { failure, nothingFails, type PackCheck, reasonOf } from "./pack/report.ts";
import { decodeProof, type ProvenEntry, verifyUnder } from "./receipt.ts";

/** What the log answers now. Nothing of it is believed. */
export interface AskedLog {
  /** The entry at an index of its tree of this size, which has one there. Throws `VouchsafeError` where it gives none. */
  entry(index: number, treeSize: number): Promise<Uint8Array>;
  /** Its newest checkpoint, and the hashes (base64) that show that its tree extends that of a size. Throws as `entry` does. */
  growth(from: number): Promise<{ readonly checkpoint: string; readonly hashes: readonly string[] }>;
}

/** What was found of receipts; `ok` says that nothing fails. Each check of an entry names it as its `event`. */
export interface ReceiptsReport {
  readonly ok: boolean;
  readonly checks: readonly PackCheck[];
}

/**
 * Holds the log to the receipts that it gave: that it signed them, that the entries are there, and that its tree of today still
 * has them where they were. A log that was cut off, restored to an older state or forked cannot show that.
 *
 * @param verifierKeys of the log, `name+hash+base64`, one a line, known from elsewhere. Throws `invalid-request` for what is none
 * @param witnesses whose cosignatures the receipts' checkpoints must have
 */
export async function checkReceipts(
  receipts: readonly ProvenEntry[],
  verifierKeys: string,
  log: AskedLog,
  witnesses?: WitnessPolicy,
): Promise<ReceiptsReport> {
  const keys = parseLogKeys(verifierKeys);
  const checks: PackCheck[] = [];
  // One upload of many lines has one checkpoint.
  for (const [note, ofNote] of Map.groupBy(receipts, ({ checkpoint }) => checkpoint)) {
    const { checkpoint, checks: signed } = checkCheckpoint({ checkpoint: note }, keys);
    checks.push(...signed);
    if (witnesses !== undefined) checks.push(checkWitnesses({ checkpoint: note }, witnesses));
    // What nobody signed promises nothing.
    if (checkpoint === undefined) continue;
    checks.push(await checkGrowth(checkpoint, keys, log));
    for (const receipt of ofNote) checks.push(await checkEntry(receipt, checkpoint, log));
  }
  return { ok: nothingFails(checks), checks };
}

async function checkGrowth(then: Checkpoint, keys: LogKeys, log: AskedLog): Promise<PackCheck> {
  try {
    const { checkpoint, hashes } = await log.growth(then.size);
    const now = openLogCheckpoint(checkpoint, keys);
    verifyConsistency(then, now, decodeProof(hashes));
    const statement = `The log has ${now.size} entries now, and the first ${then.size} are those of that checkpoint.`;
    return { check: "consistency", status: "holds", statement };
  } catch (error) {
    return failure(
      "consistency",
      `The log does not show that it still has the ${then.size} entries of that checkpoint: ${reasonOf(error)}.`,
    );
  }
}

async function checkEntry(receipt: ProvenEntry, checkpoint: Checkpoint, log: AskedLog): Promise<PackCheck> {
  const { index } = receipt;
  const { size } = checkpoint;
  try {
    if (index >= size) throw new VouchsafeError("proof-invalid", `a tree of ${size} entries has none there`);
    const leaf = await log.entry(index, size);
    verifyUnder(checkpoint, leaf, receipt);
    const { type, time } = decodeLeaf(leaf);
    const statement = `Entry ${index} is in the tree of ${size} entries: ${type}, recorded at ${new Date(time).toISOString()}.`;
    return { check: "inclusion", status: "holds", statement, event: index };
  } catch (error) {
    return failure("inclusion", `Entry ${index} is not shown to be in the log: ${reasonOf(error)}.`, index);
  }
}
