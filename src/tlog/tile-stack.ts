import { EMPTY_FRONTIER, type Frontier, frontierRoot, grow } from "./frontier.ts";
import { fullSubtrees } from "./subtrees.ts";
import { type FullTile, TILE_HEIGHT, TILE_WIDTH } from "./tiles.ts";

/**
 * The tree as a stack of the tiles that are not full yet, one for each level: what it takes to follow a log from
 * its leaves alone, in memory that does not grow. (`completeTiles` extends a tree of which the rest is stored.)
 */
export interface TileStack {
  /** Adds a leaf by its hash. Gives the tiles that it completed, lowest level first. */
  add(leafHash: Uint8Array): FullTile[];
  /** The tree so far. */
  frontier(): Frontier;
}

export function createTileStack(): TileStack {
  /** The hashes of the tile at the right edge of each level. */
  const levels: Uint8Array[][] = [];
  let count = 0;

  function addTo(level: number, hash: Uint8Array, full: FullTile[]): void {
    levels[level] ??= [];
    const hashes = levels[level];
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    const tile = fullSubtrees((level + 1) * TILE_HEIGHT, count) - 1;
    const root = frontierRoot(grow(EMPTY_FRONTIER, hashes).after);
    levels[level] = [];
    full.push({ level, tile, hashes: Buffer.concat(hashes), root });
    addTo(level + 1, root, full);
  }

  return {
    add(leafHash) {
      const full: FullTile[] = [];
      count += 1;
      addTo(0, leafHash, full);
      return full;
    },
    // The hashes of a tile that is not full are the leaves of a tree of their own, whose peaks are the log's.
    frontier: () => ({
      size: count,
      peaks: levels.toReversed().flatMap((hashes) => grow(EMPTY_FRONTIER, hashes).after.peaks),
    }),
  };
}
