import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyHash, decodeBody, encodeBody, SALT_BYTES } from "../../src/custody/body.ts";
import { VouchsafeError } from "../../src/errors.ts";
import type { Digest, JsonObject } from "../../src/in-toto-attestation/index.ts";
import fc from "../support/fc.ts";

const A = `sha256:${"a1".repeat(32)}` as Digest;
const malformed = { name: "VouchsafeError", code: "malformed-leaf" };

test("a body is canonical JSON with `about` in it", () => {
  const bytes = encodeBody({ about: ["*", A], body: { z: 1, a: "☃", nested: { y: null, x: [true] } } });
  assert.equal(
    Buffer.from(bytes).toString(),
    `{"a":"☃","about":["*","${A}"],"nested":{"x":[true],"y":null},"z":1}`,
  );
});

test("every body reads back as it was written", () => {
  const bodies = fc.dictionary(
    fc.string({ unit: "grapheme" }).filter((name) => name !== "about"),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(bodies, fc.subarray(["*", A] as const), (body, about) => {
      const bytes = encodeBody({ about, body: body as JsonObject });
      const read = decodeBody(bytes);
      assert.deepEqual(read.about, about);
      assert.deepEqual(Buffer.from(encodeBody(read)), Buffer.from(bytes));
    }),
  );
});

test("bodies that `encodeBody` would not write are refused", () => {
  const texts = [
    "",
    "null",
    "[]",
    "{}",
    '{"about":"*"}',
    '{"about":[7]}',
    '{"about":["sha256:00"]}',
    '{"about":["*","*"]}',
    '{ "about":[]}',
    '{"b":1,"about":[]}',
    '{"about":[],"n":1.0}',
    '{"about":[],"about":[]}',
    '{"about":[]}\n',
  ];
  for (const text of texts) assert.throws(() => decodeBody(Buffer.from(text)), malformed, text);
});

test("no bytes make reading throw anything but our error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), (bytes) => {
      try {
        decodeBody(bytes);
      } catch (error) {
        assert.ok(error instanceof VouchsafeError);
      }
    }),
  );
});

test("a body of ours has no `about` of its own, and an event joins a chain once", () => {
  assert.throws(() => encodeBody({ about: [], body: { about: [] } }), RangeError);
  assert.throws(() => encodeBody({ about: [A, A], body: {} }), RangeError);
});

test("the same body under another salt has another hash, and a salt has its length", () => {
  const body = encodeBody({ about: [], body: {} });
  const [one, two] = [new Uint8Array(SALT_BYTES), new Uint8Array(SALT_BYTES).fill(1)].map((salt) =>
    bodyHash(salt, body),
  );
  assert.notDeepEqual(one, two);
  assert.throws(() => bodyHash(new Uint8Array(31), body), RangeError);
});
