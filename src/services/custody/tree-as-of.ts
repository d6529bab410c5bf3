import { signOlderTree } from "../../custody/log-signers.ts";
import { tileReader } from "../../db/log.ts";
import { openCheckpoint } from "../../tlog/checkpoint.ts";
import { proveConsistency, treeRoot, verifyConsistency } from "../../tlog/proofs.ts";
import type { Vouchsafe } from "../context.ts";
import { type AsOf, placeOf } from "./state-as-of.ts";

/** A tree that the log is or was. */
export interface TreeAsOf {
  readonly size: number;
  readonly root: Uint8Array;
  readonly checkpoint: string;
  /** The time that is asked about, in milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The log's tree as of a size or a time, with a checkpoint: the newest where none is asked for. An older one is signed
 * anew, which gives the signature of then, after it is proved from the stored tiles that what we signed last has grown from
 * it: nobody who can write to the database gets a tree signed that the log never was.
 *
 * @throws VouchsafeError `invalid-request` for a size that the log does not have, and for a time to come;
 *   `malformed-checkpoint` or `proof-invalid` when the stored log is not the one that was signed
 */
export async function treeAsOf(v: Vouchsafe, asOf?: AsOf): Promise<TreeAsOf> {
  const { head, size, now } = await placeOf(v, asOf);
  if (size === head.size) return { ...head, now };
  const { origin, signers } = v.log;
  const newest = openCheckpoint(head.checkpoint, origin, signers.verifiers);
  const readTiles = tileReader(v.database.kysely);
  const older = { size, root: await treeRoot(readTiles, size) };
  verifyConsistency(older, newest, await proveConsistency(readTiles, size, newest.size));
  return { ...older, checkpoint: signOlderTree(head, older, signers), now };
}
