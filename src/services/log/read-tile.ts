import { readHead, readLeaves, tileReader } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import { encodeEntryBundle } from "../../tlog/entry-bundle.ts";
import { parseTilePath } from "../../tlog/tile-path.ts";
import { TILE_WIDTH, tileAt } from "../../tlog/tiles.ts";
import type { Vouchsafe } from "../context.ts";

/**
 * A tile or an entry bundle, from what is stored: nothing is hashed. What the newest tree has, it has for ever, so
 * the same path gives the same bytes from then on. A partial one stays where it was when the tile has become full:
 * whoever holds an older checkpoint may still come for it.
 *
 * @param path what stands below `/tile/`, as it was sent
 * @throws VouchsafeError `not-found` for another path, and for what the newest tree does not have yet
 */
export async function readTile(v: Vouchsafe, path: string): Promise<Uint8Array> {
  const parsed = parseTilePath(path);
  if (parsed === undefined)
    throw new VouchsafeError("not-found", "No tile has this path (c2sp.org/tlog-tiles)");
  const { holds, level, tile, width } = parsed;
  const { size } = await readHead(v.database.kysely);
  if (tileAt(level, tile, size).width < width) {
    throw new VouchsafeError("not-found", `The tree of ${size} entries has no such tile`);
  }
  if (holds === "entries") return encodeEntryBundle(await readEntries(v, tile * TILE_WIDTH, width));
  const [hashes] = await tileReader(v.database.kysely)([{ level, tile, width }]);
  return hashes as Uint8Array;
}

async function readEntries(v: Vouchsafe, first: number, count: number): Promise<Uint8Array[]> {
  const leaves = await readLeaves(v.database.kysely, first, first + count);
  if (leaves.length === count) return leaves;
  throw new VouchsafeError(
    "log-inconsistent",
    `Of the ${count} entries from ${first} on some are not stored`,
  );
}
