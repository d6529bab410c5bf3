import { createReceipt, type Receipt } from "../custody/receipt.ts";
import { readHead, tileReader } from "../db/log.ts";
import { VouchsafeError } from "../errors.ts";
import { proveInclusion } from "../tlog/proofs.ts";
import type { Vouchsafe } from "./context.ts";

/** A receipt for an event that was committed earlier, against the newest checkpoint. */
export async function receiptFor(v: Vouchsafe, index: number): Promise<Receipt> {
  const head = await readHead(v.database.kysely);
  if (index >= head.size) throw new VouchsafeError("log-inconsistent", `The log has lost its entry ${index}`);
  const proof = await proveInclusion(tileReader(v.database.kysely), index, head.size);
  return createReceipt({
    index,
    treeSize: head.size,
    proof,
    checkpoint: head.checkpoint,
    durable: v.database.durable,
  });
}
