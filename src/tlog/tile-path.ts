import { TILE_WIDTH, type Tile } from "./tiles.ts";

/** What a path below `/tile/` names: hashes of one level, or the entries that a tile of level 0 has the hashes of. */
export interface TilePath extends Tile {
  readonly holds: "hashes" | "entries";
}

/** Levels that tlog-tiles has paths for. */
const LEVELS = 64;

/** Up to 15 digits: more than a tree that JavaScript can count has tiles. */
const PATH = /^(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/**
 * Reads `<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]` (c2sp.org/tlog-tiles, "Merkle Tree" and "Log entries"), or gives
 * undefined: each resource has one spelling, so that no cache holds it twice.
 */
export function parseTilePath(path: string): TilePath | undefined {
  const [, first = "", index = "", partial] = PATH.exec(path) ?? [];
  const level = first === "entries" ? 0 : Number(first);
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  // The first of several parts is there because it is not zero.
  if (index === "" || index.startsWith("x000/") || level >= LEVELS) return undefined;
  if (partial !== undefined && width >= TILE_WIDTH) return undefined;
  const tile = Number(index.replaceAll(/[x/]/g, ""));
  return { holds: first === "entries" ? "entries" : "hashes", level, tile, width };
}

/** The one path that `parseTilePath` reads as this. */
export function formatTilePath({ holds, level, tile, width }: TilePath): string {
  const parts = [String(tile % 1000).padStart(3, "0")];
  for (let rest = Math.floor(tile / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    parts.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  }
  const partial = width === TILE_WIDTH ? "" : `.p/${width}`;
  return `${holds === "entries" ? "entries" : level}/${parts.join("/")}${partial}`;
}
