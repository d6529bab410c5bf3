import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { readBounded } from "../src/read-bounded.ts";

const abc = () => Readable.from([Buffer.from("a"), Buffer.from("bc")]);

test("takes what is just as long as it may be, and nothing longer", async () => {
  assert.equal((await readBounded(abc(), 3))?.toString(), "abc");
  assert.equal(await readBounded(abc(), 2), undefined);
  assert.equal((await readBounded(null, 0))?.length, 0);
});

test("hangs up on what is too long", async () => {
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(8);
    })(),
  );
  assert.equal(await readBounded(endless, 20), undefined);
  assert.ok(endless.destroyed);
});

test("throws what breaks it off", async () => {
  const broken = new Readable({ read: () => broken.destroy(new Error("gone")) });
  await assert.rejects(readBounded(broken, 20), /gone/);
});
