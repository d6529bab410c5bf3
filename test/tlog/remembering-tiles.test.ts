import assert from "node:assert/strict";
import { test } from "node:test";
import { rememberingTiles } from "../../src/tlog/remembering-tiles.ts";
import type { Tile } from "../../src/tlog/tiles.ts";

function counted() {
  const asked: string[] = [];
  const name = ({ level, tile, width }: Tile) => `${level}/${tile}/${width}`;
  const read = rememberingTiles(async (tiles) => {
    asked.push(...tiles.map(name));
    return tiles.map((tile) => Buffer.from(name(tile)));
  });
  return { asked, read: async (...tiles: Tile[]) => (await read(tiles)).map(String) };
}

const full = (level: number, tile: number): Tile => ({ level, tile, width: 256 });

test("each tile comes in its place, and only full ones of upper levels are asked for once", async () => {
  const { asked, read } = counted();
  const partial = { level: 1, tile: 2, width: 7 };
  for (let i = 0; i < 2; i += 1)
    assert.deepEqual(await read(full(1, 0), full(0, 3), partial, full(2, 0)), [
      "1/0/256",
      "0/3/256",
      "1/2/7",
      "2/0/256",
    ]);
  assert.deepEqual(asked, ["1/0/256", "0/3/256", "1/2/7", "2/0/256", "0/3/256", "1/2/7"]);
});

test("no more than 256 are kept, those asked for last", async () => {
  const { asked, read } = counted();
  for (let tile = 0; tile < 256; tile += 1) await read(full(1, tile));
  await read(full(1, 0), full(1, 256));
  asked.length = 0;
  await read(full(1, 0), full(1, 1), full(1, 256));
  assert.deepEqual(asked, ["1/1/256"]);
});
