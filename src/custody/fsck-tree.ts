import { encodeBase64 } from "../tlog/base64.ts";
import { encodePeaks, type Frontier, frontierRoot } from "../tlog/frontier.ts";
import { sameHash } from "../tlog/hash.ts";
import { type LogKeys, openLogCheckpoint } from "../tlog/log-keys.ts";
import { parseNote } from "../tlog/note.ts";
import type { FullTile } from "../tlog/tiles.ts";
import type { Finding } from "./fsck-findings.ts";

/** The row of `log_head` as it was read, of which nothing is believed. Numbers that may be any int8 are text. */
export interface StoredHead {
  readonly size: string;
  readonly root: Uint8Array;
  readonly peaks: Uint8Array;
  readonly time: string;
  readonly checkpoint: string;
}

/** Checks stored tiles against those that the leaves make. */
export function checkTiles(expected: readonly FullTile[], stored: readonly FullTile[]): Finding[] {
  const found = Map.groupBy(stored, nameOf);
  return expected.flatMap((tile) => {
    const key = nameOf(tile);
    const [row, ...others] = found.get(key) ?? [];
    const problems = [
      ...(row === undefined ? ["the tile is missing"] : []),
      ...(others.length > 0 ? ["the tile is there more than once"] : []),
      ...(row !== undefined && !sameHash(row.hashes, tile.hashes)
        ? ["its hashes are not those of the leaves below"]
        : []),
      ...(row !== undefined && !sameHash(row.root, tile.root)
        ? [`root is ${encodeBase64(row.root)}, and its leaves give ${encodeBase64(tile.root)}`]
        : []),
    ];
    return problems.map((problem) => ({ table: "log_tiles", key, problem }));
  });
}

function nameOf({ level, tile }: FullTile): string {
  return `level ${level}, tile ${tile}`;
}

/** The tree that the leaves make, and the time of the last of them. */
export interface WalkedTree {
  readonly frontier: Frontier;
  readonly time: number;
}

/**
 * Checks the head against the tree that the leaves make.
 *
 * @param active the keys that sign the log after its newest entry: the checkpoint has a signature of each and no other
 * @param given keys of which one must have signed it, where the reader has any from elsewhere
 */
export function checkHead(
  head: StoredHead,
  { frontier, time }: WalkedTree,
  active: LogKeys,
  given?: LogKeys,
): Finding[] {
  const root = frontierRoot(frontier);
  const problems: string[] = [];
  if (head.size !== String(frontier.size))
    problems.push(`size is ${head.size}, and the log has ${frontier.size} entries`);
  if (!sameHash(head.root, root))
    problems.push(`root is ${encodeBase64(head.root)}, and the leaves give ${encodeBase64(root)}`);
  if (!sameHash(head.peaks, encodePeaks(frontier))) problems.push("peaks are not those of the leaves");
  if (head.time !== String(time)) problems.push(`time is ${head.time}, and that of the last entry ${time}`);
  problems.push(...checkpointProblems(head.checkpoint, { size: frontier.size, root }, active, given));
  return problems.map((problem) => ({ table: "log_head", key: "the only row", problem }));
}

function checkpointProblems(
  note: string,
  tree: { readonly size: number; readonly root: Uint8Array },
  active: LogKeys,
  given: LogKeys | undefined,
): string[] {
  // Nobody has signed the empty log.
  if (tree.size === 0) return note === "" ? [] : ["an empty log has a checkpoint"];
  const problems: string[] = [];
  try {
    const { size, root, others } = openLogCheckpoint(note, active);
    if (size !== tree.size || !sameHash(root, tree.root))
      problems.push(`its checkpoint is of ${size} entries with the root ${encodeBase64(root)}`);
    const lines = parseNote(note).signatures.length;
    // A reader passes over signatures of others. Nodes store none here, so who added one changed the row.
    if (others.length > 0 || lines !== active.verifiers.length)
      problems.push("its checkpoint is not signed by each of the log's keys, once, and by no other");
    if (given !== undefined) openLogCheckpoint(note, given);
  } catch (error) {
    problems.push(
      `its checkpoint is not one that the log signed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return problems;
}
