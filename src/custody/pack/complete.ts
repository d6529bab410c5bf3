import { hasCode, VouchsafeError } from "../../errors.ts";
import type { Checkpoint } from "../../tlog/checkpoint.ts";
import { grow } from "../../tlog/frontier.ts";
import { leafHash, sameHash } from "../../tlog/hash.ts";
import { readFrontier } from "../../tlog/proofs.ts";
import { rememberTiles, type ServedLog } from "../../tlog/served-log.ts";
import { type ChainKey, PROJECT_CHAIN, type ProjectId } from "../events.ts";
import { decodeLeaf } from "../leaf.ts";
import { failure, type PackCheck } from "./report.ts";

/** Where the chains of a file end, as it was verified, and in which tree. */
export interface ChainEnds {
  readonly tree: Checkpoint;
  readonly project: ProjectId;
  /** By the indexes of the file's events, in how many chains each stands that are not in the file. */
  readonly events: ReadonlyMap<number, { readonly elsewhere: number }>;
  /** The indexes of the events with which the file's chains end. */
  readonly lasts: ReadonlySet<number>;
  /** The chains that have no event in the file. */
  readonly empty: readonly ChainKey[];
}

export interface EntriesRead {
  readonly done: number;
  readonly of: number;
}

/** Findings of each kind that are told one by one. */
const MAX_TOLD = 20;

/**
 * Whether the chains of a file are all that the log has of them, up to the size of its tree: reads every entry of the log from the first
 * event of the file on. Leaves are public and name the events that they follow, so that whoever has all of them sees whether one
 * follows the last of a chain, or an earlier one, from which the chain then goes on twice. Nothing served is believed: the entries
 * must hash up to the root that the file's checkpoint signs.
 *
 * Where an event is of another artifact's chain too, its leaf does not say which of them is continued: at a chain's end that is told as
 * not to be verified here, and before it only more followers are told than there are such chains. A chain's first event
 * follows none, so that nothing shows of a chain without events in the file that the log has none: that is told as well.
 * Holds one bundle of entries in memory; yields how far it is.
 */
export async function* checkComplete(
  { tree, project, events, lasts, empty }: ChainEnds,
  log: ServedLog,
): AsyncGenerator<EntriesRead, readonly PackCheck[]> {
  const [first = 0] = events.keys();
  /** How many entries that are not in the file follow each of its events. */
  const followers = new Map<number, number>();
  const failures: PackCheck[] = [];
  const unclear: PackCheck[] = [];
  try {
    const before = await readFrontier(rememberTiles(log.readTiles), first, tree.size);
    let { after, root } = grow(before, []);
    while (after.size < tree.size) {
      const leaves = await log.entries(after.size, tree.size);
      for (const [i, bytes] of leaves.entries()) {
        const index = after.size + i;
        if (events.has(index)) continue;
        for (const check of continues(index, bytes)) {
          const kind = check.status === "fails" ? failures : unclear;
          if (kind.length < MAX_TOLD) kind.push(check);
        }
      }
      ({ after, root } = grow(after, leaves.map(leafHash)));
      yield { done: after.size - first, of: tree.size - first };
    }
    if (!sameHash(root, tree.root)) return [otherLog(first)];
  } catch (error) {
    if (hasCode(error, "proof-invalid")) return [otherLog(first)];
    throw error;
  }
  if (failures.length + unclear.length > 0) return [...failures, ...unclear, ...empty.map(unknown)];
  const shared = followers.size > 0 ? ", if those that follow events of others too are of their chains" : "";
  const statement =
    `No entry from ${first} on that is not in the file continues a chain of the file's events: ` +
    `they are all that the log has of these chains as of its size of ${tree.size}${shared}.`;
  return [{ check: "complete", status: "holds", statement }, ...empty.map(unknown)];

  /** What an entry that is not in the file says of the chains that are. */
  function continues(index: number, bytes: Uint8Array): PackCheck[] {
    const leaf = leafOrUndefined(bytes);
    if (leaf === undefined)
      return [
        failure("complete", `Entry ${index} is of no form that is known: it may continue a chain.`, index),
      ];
    if (leaf.project !== project) return [];
    const followed = leaf.previous.filter((previous) => previous !== null);
    return followed.flatMap((previous) => {
      const one = events.get(previous);
      if (one === undefined) return [];
      const count = (followers.get(previous) ?? 0) + 1;
      followers.set(previous, count);
      const entry = `Entry ${index} (${leaf.type}), which is not in the file, follows event ${previous}`;
      const isEnd = lasts.has(previous);
      if (count > one.elsewhere) {
        const where = isEnd
          ? "with which a chain ends in the file"
          : "from which a chain goes on in the file";
        return [failure("complete", `${entry}, ${where}.`, index)];
      }
      if (!isEnd) return [];
      const statement = `${entry}: its leaf does not say whether in a chain of the file or of what else that event is about.`;
      return [{ check: "complete", status: "not-re-verifiable", statement, event: index }];
    });
  }
}

function unknown(key: ChainKey): PackCheck {
  const chain = key === PROJECT_CHAIN ? "the project's policy and trust changes" : key;
  const statement = `The file has no event of the chain of ${chain}: no leaf says whether the log has any.`;
  return { check: "complete", status: "not-re-verifiable", statement };
}

function otherLog(first: number): PackCheck {
  const statement = `The entries that are served from ${first} on are not those of the tree that the file's checkpoint signs.`;
  return failure("complete", statement);
}

function leafOrUndefined(bytes: Uint8Array) {
  try {
    return decodeLeaf(bytes);
  } catch (error) {
    if (error instanceof VouchsafeError) return undefined;
    throw error;
  }
}
