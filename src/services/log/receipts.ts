import { createReceipt, type Receipt } from "../../custody/receipt.ts";
import { readHead, readIndexes, tileReader } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import { proveInclusions } from "../../tlog/proofs.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { readWitnessed } from "./cosigned-checkpoints.ts";

/** A receipt for an event that was committed earlier. */
export async function receiptFor(v: Vouchsafe, index: number): Promise<Receipt> {
  const [receipt] = await receiptsFor(v, [index]);
  return receipt as Receipt;
}

/**
 * Receipts for events of the caller's project, in the order asked for, all against one checkpoint.
 *
 * @throws VouchsafeError `not-found` with the `indexes` that are no events of the project
 */
export async function readReceipts(
  v: Vouchsafe,
  caller: Caller,
  indexes: readonly number[],
): Promise<Receipt[]> {
  const known = new Set(await readIndexes(v.database.kysely, caller.project, indexes));
  const unknown = indexes.filter((index) => !known.has(index));
  if (unknown.length === 0) return receiptsFor(v, indexes);
  throw new VouchsafeError("not-found", `No events of this project: ${unknown.join(", ")}`, {
    extensions: { indexes: unknown },
  });
}

async function receiptsFor(v: Vouchsafe, indexes: readonly number[]): Promise<Receipt[]> {
  const { size: treeSize, checkpoint, witnessed } = await checkpointFor(v, Math.max(...indexes));
  const lost = indexes.find((index) => index >= treeSize);
  if (lost !== undefined) throw new VouchsafeError("log-inconsistent", `The log has lost its entry ${lost}`);
  const proofs = await proveInclusions(tileReader(v.database.kysely), indexes, treeSize);
  const { durable } = v.database;
  return indexes.map((index, i) =>
    createReceipt({ index, treeSize, proof: proofs[i] ?? [], checkpoint, durable, witnessed }),
  );
}

/** The newest witnessed checkpoint if it has the entry in it, else the newest. */
async function checkpointFor(
  { database, witnesses, log }: Vouchsafe,
  index: number,
): Promise<{ readonly size: number; readonly checkpoint: string; readonly witnessed: boolean }> {
  const newest =
    witnesses && (await readWitnessed({ database, policy: witnesses.policy, signers: log.signers }));
  if (newest !== undefined && newest.size > index) return { ...newest, witnessed: true };
  return { ...(await readHead(database.kysely)), witnessed: false };
}
