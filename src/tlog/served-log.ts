import { VouchsafeError } from "../errors.ts";
import { decodeEntryBundle, maxBundleBytes } from "./entry-bundle.ts";
import { HASH_BYTES } from "./hash.ts";
import { formatTilePath, type TilePath } from "./tile-path.ts";
import { TILE_WIDTH, type Tile, type TileReader } from "./tiles.ts";

/** Gives what stands at a path below a log's prefix, e.g. `tile/0/000`, and refuses what is longer. */
export type ReadPath = (path: string, maxBytes: number) => Promise<Uint8Array>;

/** A log as C2SP tlog-tiles serves it. Nothing of it is believed: it has the right form, and no more. */
export interface ServedLog {
  /** The newest checkpoint, a signed note. Throws `malformed-checkpoint` for what is no text. */
  checkpoint(): Promise<string>;
  readonly readTiles: TileReader;
  /** The entries from `first` up to the end of their bundle, or up to the tree's. Needs `first < treeSize`. */
  entries(first: number, treeSize: number): Promise<readonly Uint8Array[]>;
}

const MAX_CHECKPOINT_BYTES = 512 * 1024;

/** Reads a log by whatever fetches. Tiles and bundles of another length throw `proof-invalid`. */
export function readServedLog(read: ReadPath): ServedLog {
  const readTile = (path: TilePath, maxBytes: number) => read(`tile/${formatTilePath(path)}`, maxBytes);

  async function hashes(tile: Tile): Promise<Uint8Array> {
    const length = tile.width * HASH_BYTES;
    const bytes = await readTile({ ...tile, holds: "hashes" }, length);
    if (bytes.length === length) return bytes;
    throw new VouchsafeError("proof-invalid", `A tile of ${tile.width} hashes has ${bytes.length} bytes.`);
  }

  return {
    checkpoint: async () => decodeNote(await read("checkpoint", MAX_CHECKPOINT_BYTES)),
    readTiles: (tiles) => Promise.all(tiles.map(hashes)),
    async entries(first, treeSize) {
      const tile = Math.floor(first / TILE_WIDTH);
      const begin = tile * TILE_WIDTH;
      const width = Math.min(TILE_WIDTH, treeSize - begin);
      const bundle = await readTile({ holds: "entries", level: 0, tile, width }, maxBundleBytes(width));
      return decodeEntryBundle(bundle, width).slice(first - begin);
    },
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeNote(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new VouchsafeError("malformed-checkpoint", "What is served as checkpoint is no text.", { cause });
  }
}

/** Reads each tile once: for many proofs in one tree. What it keeps is some tiles for each of its levels. */
export function rememberTiles(readTiles: TileReader): TileReader {
  const known = new Map<string, Uint8Array>();
  const keyOf = ({ level, tile, width }: Tile) => `${level}/${tile}/${width}`;
  return async (tiles) => {
    const missing = tiles.filter((tile) => !known.has(keyOf(tile)));
    const read = await readTiles(missing);
    for (const [i, tile] of missing.entries()) known.set(keyOf(tile), read[i] as Uint8Array);
    return tiles.map((tile) => known.get(keyOf(tile)) as Uint8Array);
  };
}
