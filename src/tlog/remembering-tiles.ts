import { TILE_WIDTH, type Tile, type TileReader } from "./tiles.ts";

/** 8 KB each, as much again and more once a proof was made from it: those of level 1 of 16 million entries. */
const TILES_KEPT = 256;

/**
 * The same tiles; of full ones above the lowest level those that were read last come from memory. They never change, and
 * every proof wants some of the few that there are: so it costs the same however large the log has grown.
 */
export function rememberingTiles(read: TileReader): TileReader {
  const kept = new Map<string, Uint8Array>();
  return async (tiles) => {
    const found = tiles.map((tile) => kept.get(nameOf(tile)));
    const missing = tiles.filter((_, i) => found[i] === undefined);
    const fresh = (await read(missing)).values();
    return tiles.map((tile, i) => {
      const hashes = found[i] ?? (fresh.next().value as Uint8Array);
      if (tile.level > 0 && tile.width === TILE_WIDTH) {
        // At the end of the order in which they are forgotten.
        kept.delete(nameOf(tile));
        kept.set(nameOf(tile), hashes);
        if (kept.size > TILES_KEPT) kept.delete(kept.keys().next().value as string);
      }
      return hashes;
    });
  };
}

function nameOf({ level, tile, width }: Tile): string {
  return `${level}/${tile}/${width}`;
}
