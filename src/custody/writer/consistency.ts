import { type ErrorCode, hasCode, VouchsafeError } from "../../errors.ts";
import { frontierRoot } from "../../tlog/frontier.ts";
import { EMPTY_ROOT, sameHash } from "../../tlog/hash.ts";
import { type LogKeys, openLogCheckpoint } from "../../tlog/log-keys.ts";
import { proveConsistency, verifyConsistency } from "../../tlog/proofs.ts";
import { type LogSigners, requireSignedBy } from "../log-signers.ts";
import type { LockedLog, LogHead } from "../log-store.ts";

/** A tree of the log that was signed once and may never be contradicted. */
export interface KnownTree {
  readonly size: number;
  readonly root: Uint8Array;
}

export const EMPTY_TREE: KnownTree = { size: 0, root: EMPTY_ROOT };

/**
 * Refuses to go on from a head that contradicts what is known: a smaller tree, another root for the same size,
 * peaks that do not lead to the root, or a larger tree that was not signed with the log's keys or does not
 * extend the known one (`log-inconsistent`); and from one that other keys sign than ours (`log-key-mismatch`).
 */
export async function refuseFork(log: LockedLog, known: KnownTree, signers: LogSigners): Promise<void> {
  const { head } = log;
  const verifiers = requireSignedBy(head, signers);
  refuseUnless(sameHash(frontierRoot(head), head.root), "its peaks do not lead to its root");
  if (head.size === known.size) {
    refuseUnless(sameHash(head.root, known.root), `it has another root at size ${known.size}`);
    return;
  }
  refuseUnless(
    head.size > known.size,
    `it has ${head.size} entries where ${known.size} were acknowledged. The database is an older one, or another than this data directory was used with`,
  );
  try {
    refuseUnless(isSigned(head, { origin: signers.origin, verifiers }), "its checkpoint is of another tree");
    await proveExtension(log, known);
  } catch (cause) {
    if (!isContradiction(cause)) throw cause;
    throw new VouchsafeError("log-inconsistent", "The log does not extend what was acknowledged", { cause });
  }
}

const CONTRADICTIONS: readonly ErrorCode[] = ["log-inconsistent", "malformed-checkpoint", "proof-invalid"];

/** Not that the database went away meanwhile: it says nothing of the log. */
function isContradiction(error: unknown): boolean {
  return error instanceof VouchsafeError && CONTRADICTIONS.includes(error.code);
}

type StoredLog = Pick<LockedLog, "head" | "readTiles">;

/** Whether the log has the known tree in it. Rejects when that could not be found out. */
export async function extendsTree(log: StoredLog, known: KnownTree): Promise<boolean> {
  if (log.head.size < known.size) return false;
  try {
    await proveExtension(log, known);
    return true;
  } catch (error) {
    if (hasCode(error, "proof-invalid")) return false;
    throw error;
  }
}

async function proveExtension({ head, readTiles }: StoredLog, known: KnownTree): Promise<void> {
  verifyConsistency(known, head, await proveConsistency(readTiles, known.size, head.size));
}

/** By all of these keys: none of them may be there with a signature that it did not make. */
function isSigned(head: LogHead, keys: LogKeys): boolean {
  const { size, root } = openLogCheckpoint(head.checkpoint, keys);
  return size === head.size && sameHash(root, head.root);
}

function refuseUnless(condition: boolean, what: string): asserts condition {
  if (!condition)
    throw new VouchsafeError("log-inconsistent", `The log's head is not to be trusted: ${what}`);
}
