import { readHead, tileReader } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import { encodeBase64 } from "../../tlog/base64.ts";
import { proveConsistency, proveInclusion } from "../../tlog/proofs.ts";
import type { Vouchsafe } from "../context.ts";

export interface InclusionProof {
  readonly index: number;
  readonly treeSize: number;
  /** Sibling hashes in base64, lowest first (RFC 6962, 2.1.1). */
  readonly inclusionProof: readonly string[];
  /** The checkpoint of that size, or null where it is not the newest: only that one is kept. */
  readonly checkpoint: string | null;
}

export interface ConsistencyProof {
  readonly from: number;
  readonly to: number;
  /** Hashes in base64 (RFC 6962, 2.1.2). */
  readonly consistencyProof: readonly string[];
  /** The checkpoint of the size `to`, or null where it is not the newest. */
  readonly checkpoint: string | null;
}

/**
 * That an entry is in the tree of some size, the newest unless named.
 *
 * @throws VouchsafeError `not-found` for a tree or an entry that the log does not have yet, `invalid-request` for
 *   an entry that a tree of the size named cannot have
 */
export async function proveEntry(
  v: Vouchsafe,
  { index, treeSize }: { readonly index: number; readonly treeSize?: number | undefined },
): Promise<InclusionProof> {
  if (treeSize !== undefined && index >= treeSize)
    throw outside(`A tree of ${treeSize} has no entry ${index}`);
  const head = await readHead(v.database.kysely);
  const size = treeSize ?? head.size;
  if (size > head.size || index >= size) throw notYet(head.size);
  const proof = await proveInclusion(tileReader(v.database.kysely), index, size);
  const checkpoint = size === head.size ? head.checkpoint : null;
  return { index, treeSize: size, inclusionProof: proof.map(encodeBase64), checkpoint };
}

/**
 * That the tree of one size, the newest unless named, has all entries of an older one in their places.
 *
 * @throws VouchsafeError `not-found` for a tree that the log does not have yet, `invalid-request` where the older
 *   one is the larger
 */
export async function proveGrowth(
  v: Vouchsafe,
  { from, to }: { readonly from: number; readonly to?: number | undefined },
): Promise<ConsistencyProof> {
  if (to !== undefined && from > to) throw outside(`A tree of ${from} does not grow to ${to}`);
  const head = await readHead(v.database.kysely);
  const size = to ?? head.size;
  if (size > head.size || from > size) throw notYet(head.size);
  const proof = await proveConsistency(tileReader(v.database.kysely), from, size);
  const checkpoint = size === head.size ? head.checkpoint : null;
  return { from, to: size, consistencyProof: proof.map(encodeBase64), checkpoint };
}

function outside(message: string): VouchsafeError {
  return new VouchsafeError("invalid-request", message);
}

function notYet(size: number): VouchsafeError {
  return new VouchsafeError("not-found", `The log has ${size} entries`);
}
