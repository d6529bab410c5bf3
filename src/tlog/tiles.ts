import type { Growth } from "./frontier.ts";
import { HASH_BYTES, nodeHash } from "./hash.ts";
import { fullSubtrees, type Subtree } from "./subtrees.ts";

/** A tile covers eight levels of the tree (c2sp.org/tlog-tiles): at most 256 hashes of the lowest of them. */
export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;

/**
 * Which tile: tile number `tile` of tile level `level`, with `width` hashes; fewer than 256 where the tree
 * ends in it. A tile of level L has the hashes of full subtrees of height 8 L.
 */
export interface Tile {
  readonly level: number;
  readonly tile: number;
  readonly width: number;
}

/** The concatenated hashes of each tile asked for, in the same order. The whole answer is of one moment. */
export type TileReader = (tiles: readonly Tile[]) => Promise<readonly Uint8Array[]>;

/** The tile as it stands in a tree of this size. Its width is 0 where the tree does not reach it. */
export function tileAt(level: number, tile: number, size: number): Tile {
  const hashes = fullSubtrees(level * TILE_HEIGHT, size) - tile * TILE_WIDTH;
  return { level, tile, width: Math.min(Math.max(hashes, 0), TILE_WIDTH) };
}

/** The tile that holds what a full subtree's hash is computed from, in a tree of this size. */
export function tileOf(subtree: Subtree, size: number): Tile {
  const level = Math.floor(subtree.height / TILE_HEIGHT);
  const first = subtree.index * 2 ** (subtree.height % TILE_HEIGHT);
  return tileAt(level, Math.floor(first / TILE_WIDTH), size);
}

/** The hash of a full subtree, from the tile that `tileOf` names. The tile's bytes must not change afterwards. */
export function subtreeHash(subtree: Subtree, hashes: Uint8Array): Uint8Array {
  const height = subtree.height % TILE_HEIGHT;
  const width = 2 ** height;
  const first = (subtree.index * width) % TILE_WIDTH;
  if (hashes.length < (first + width) * HASH_BYTES) throw new RangeError("the tile is too narrow");
  if (height === 0) return hashAt(hashes, first);
  if (hashes.length === TILE_WIDTH * HASH_BYTES)
    return fullTileRows(hashes)[height]?.[first / width] as Uint8Array;
  return rowsAbove(Array.from({ length: width }, (_, i) => hashAt(hashes, first + i)))[
    height
  ]?.[0] as Uint8Array;
}

/** Of full tiles that were asked about: one proof needs most of a tile's inner hashes, and so does the next. */
const rowsOfTile = new WeakMap<Uint8Array, readonly (readonly Uint8Array[])[]>();

function fullTileRows(hashes: Uint8Array): readonly (readonly Uint8Array[])[] {
  const known = rowsOfTile.get(hashes);
  if (known !== undefined) return known;
  const rows = rowsAbove(Array.from({ length: TILE_WIDTH }, (_, i) => hashAt(hashes, i)));
  rowsOfTile.set(hashes, rows);
  return rows;
}

/** The hashes of full subtrees by their height above these, up to the one that spans them all. */
function rowsAbove(hashes: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const rows = [hashes];
  for (let row = hashes; row.length > 1; rows.push(row))
    row = row.flatMap((left, i) => (i % 2 === 0 ? [nodeHash(left, row[i + 1] as Uint8Array)] : []));
  return rows;
}

function hashAt(hashes: Uint8Array, position: number): Uint8Array {
  return hashes.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);
}

/** A tile that has become full, and the root of its 256 hashes: one hash in a tile of the level above. */
export interface FullTile {
  readonly level: number;
  readonly tile: number;
  readonly hashes: Uint8Array;
  readonly root: Uint8Array;
}

/** The partial tiles of the tree before that an append fills up: what `completeTiles` has to be handed. */
export function tilesToComplete(before: number, after: number): Tile[] {
  const partial: Tile[] = [];
  for (let level = 0; fullSubtrees((level + 1) * TILE_HEIGHT, after) > 0; level += 1) {
    const tile = tileAt(level, fullSubtrees((level + 1) * TILE_HEIGHT, before), before);
    if (tile.width > 0 && tileAt(level, tile.tile, after).width === TILE_WIDTH) partial.push(tile);
  }
  return partial;
}

/** The tiles that an append filled, lowest level first. `partial` are the hashes of `tilesToComplete`, in its order. */
export function completeTiles(growth: Growth, partial: readonly Uint8Array[]): FullTile[] {
  const { before, after } = growth;
  const started = tilesToComplete(before.size, after.size);
  const full: FullTile[] = [];
  for (let level = 0; fullSubtrees((level + 1) * TILE_HEIGHT, after.size) > 0; level += 1) {
    const height = level * TILE_HEIGHT;
    const end = fullSubtrees(height + TILE_HEIGHT, after.size);
    for (let tile = fullSubtrees(height + TILE_HEIGHT, before.size); tile < end; tile += 1) {
      const hashes = new Uint8Array(TILE_WIDTH * HASH_BYTES);
      const known = started.findIndex((s) => s.level === level && s.tile === tile);
      const left = partial[known] ?? new Uint8Array(0);
      const width = started[known]?.width ?? 0;
      if (left.length !== width * HASH_BYTES)
        throw new RangeError("the partial tile does not have its width");
      hashes.set(left);
      for (let i = width; i < TILE_WIDTH; i += 1) {
        hashes.set(completedBy(growth, { height, index: tile * TILE_WIDTH + i }), i * HASH_BYTES);
      }
      const root = completedBy(growth, { height: height + TILE_HEIGHT, index: tile });
      full.push({ level, tile, hashes, root });
    }
  }
  return full;
}

function completedBy(growth: Growth, subtree: Subtree): Uint8Array {
  const hash = growth.completed(subtree);
  if (hash === undefined) throw new RangeError("the subtree was there before this append");
  return hash;
}
