import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTilePath, parseTilePath } from "../../src/tlog/tile-path.ts";

const READ: readonly (readonly [path: string, ...parsed: unknown[]])[] = [
  ["0/000", "hashes", 0, 0, 256],
  ["63/001.p/255", "hashes", 63, 1, 255],
  ["entries/273.p/112", "entries", 0, 273, 112],
  // The specification's own example.
  ["1/x001/x234/067", "hashes", 1, 1_234_067, 256],
  ["0/x010/000", "hashes", 0, 10_000, 256],
  ["entries/x001/x000/x000/x000/000.p/1", "entries", 0, 1e12, 1],
];

for (const [path, ...parsed] of READ) {
  test(`reads ${path}`, () => {
    const { holds, level, tile, width } = parseTilePath(path) ?? assert.fail("not read");
    assert.deepEqual([holds, level, tile, width], parsed);
    assert.equal(formatTilePath({ holds, level, tile, width }), path);
  });
}

/** Each would be a second name of a tile, or is none's. */
const OTHER_SPELLINGS: readonly string[] = [
  "",
  "0",
  "0/",
  "0/0",
  "0/00",
  "0/0000",
  "0/00a",
  "0/-01",
  "0/+01",
  "0/000/",
  "0//000",
  "/0/000",
  "00/000",
  "01/000",
  "64/000",
  "100/000",
  "-1/000",
  "x/000",
  "Entries/000",
  "entries",
  "entries/",
  "entries/0",
  "0/x000/000",
  "0/x000/x001/000",
  "0/001/000",
  "0/x001",
  "0/x001/x234",
  "0/X001/000",
  "0/x1/000",
  "0/1000",
  "0/x001/x000/x000/x000/x000/000",
  "0/000.p",
  "0/000.p/",
  "0/000.p/0",
  "0/000.p/01",
  "0/000.p/256",
  "0/000.p/1000",
  "0/000.p/1/",
  "0/000.P/1",
  "0/000p/1",
  "0/000.p/1.p/1",
  "0/000\n",
  "0/000 ",
  " 0/000",
  "0/٠٠٠",
  "0/%30%30%30",
  "0/000%2Ep/1",
];

test("reads no other spelling", () => {
  for (const path of OTHER_SPELLINGS) assert.equal(parseTilePath(path), undefined, JSON.stringify(path));
});
