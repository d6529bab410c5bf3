import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bodyHash } from "../../src/custody/body.ts";
import { EVENT_TYPES, type EventType, type ProjectId } from "../../src/custody/events.ts";
import { decodeLeaf, encodeLeaf, type Leaf, MAX_LEAF_BYTES } from "../../src/custody/leaf.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import fc from "../support/fc.ts";

interface GoldenLeaf extends Omit<Leaf, "bodyHash"> {
  readonly name: string;
  readonly salt: string;
  readonly body: string;
  readonly bodyHash: string;
  readonly leaf: string;
  readonly leafHash: string;
}

/** Made by testdata/leaf-v1.generate.ts, which shares no code with src/. */
const golden: GoldenLeaf[] = JSON.parse(
  readFileSync(new URL("../../testdata/leaf-v1.golden.json", import.meta.url), "utf8"),
);
const malformed = { name: "VouchsafeError", code: "malformed-leaf" };

const PROJECT = "0b51c2d4-7e6f-4a89-9c0d-1e2f3a4b5c6d" as ProjectId;
const plain: Leaf = {
  type: "verdict.passed",
  time: 1,
  project: PROJECT,
  bodyHash: new Uint8Array(32).fill(7),
  previous: [null, 3],
};

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

for (const { name, type, time, project, previous, ...expected } of golden) {
  test(`golden leaf: ${name}`, () => {
    const hash = bodyHash(hex(expected.salt), Buffer.from(expected.body));
    const leaf = encodeLeaf({ type, time, project, previous, bodyHash: hash });
    assert.equal(Buffer.from(hash).toString("hex"), expected.bodyHash);
    assert.equal(Buffer.from(leaf).toString("hex"), expected.leaf);
    assert.equal(Buffer.from(leafHash(leaf)).toString("hex"), expected.leafHash);
    assert.deepEqual(decodeLeaf(leaf), { type, time, project, previous, bodyHash: hex(expected.bodyHash) });
  });
}

test("the golden file has every event type", () => {
  assert.deepEqual(new Set(golden.map(({ type }) => type)), new Set(Object.keys(EVENT_TYPES)));
});

const leaves: fc.Arbitrary<Leaf> = fc.record(
  {
    type: fc.constantFrom(...(Object.keys(EVENT_TYPES) as EventType[])),
    time: fc.nat({ max: 8_640_000_000_000_000 }),
    project: fc.uuid().map((id) => id as ProjectId),
    bodyHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    previous: fc.array(fc.option(fc.maxSafeNat())),
  },
  { noNullPrototype: true },
);

test("every leaf reads back as it was written", () => {
  fc.assert(fc.property(leaves, (leaf) => assert.deepEqual(decodeLeaf(encodeLeaf(leaf)), leaf)));
});

test("whatever bytes can be read are the bytes that would be written", () => {
  const changed = fc.tuple(leaves, fc.nat(), fc.nat(255)).map(([leaf, at, byte]) => {
    const bytes = encodeLeaf(leaf);
    return bytes.with(at % bytes.length, byte);
  });
  fc.assert(
    fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      let leaf: Leaf;
      try {
        leaf = decodeLeaf(bytes);
      } catch (error) {
        assert.ok(error instanceof VouchsafeError && error.code === "malformed-leaf");
        return;
      }
      assert.deepEqual(Uint8Array.from(encodeLeaf(leaf)), Uint8Array.from(bytes));
    }),
  );
});

test("bytes that are not exactly a leaf are refused", () => {
  const good = Uint8Array.from(encodeLeaf(plain));
  decodeLeaf(good);
  const cases: Record<string, Uint8Array> = {
    nothing: new Uint8Array(0),
    "a byte too few": good.subarray(0, -1),
    "a byte too many": Uint8Array.from([...good, 0]),
    "another version": good.with(0, 2),
    "type 0": good.with(1, 0),
    "a type of the future": good.with(1, 200),
    "fewer links than announced": good.with(59, 3),
    "more links than announced": good.with(59, 1),
    "a time past what a double counts": good.with(2, 1),
    "a time past what a date can hold": good.with(3, 0x1f),
    "a link past what a double counts": good.with(68, 1),
    "too long": new Uint8Array(MAX_LEAF_BYTES + 1),
  };
  for (const [name, bytes] of Object.entries(cases)) assert.throws(() => decodeLeaf(bytes), malformed, name);
});

test("what cannot be read back is not written", () => {
  const bad: Record<string, Partial<Leaf>> = {
    "unknown type": { type: "constructor" as EventType },
    "negative time": { time: -1 },
    "fractional time": { time: 0.5 },
    "time past what a date can hold": { time: 8_640_000_000_000_001 },
    "project in upper case": { project: PROJECT.toUpperCase() as ProjectId },
    "project that is none": { project: "default" as ProjectId },
    "short body hash": { bodyHash: new Uint8Array(31) },
    "negative link": { previous: [-1] },
    "too many links": { previous: new Array(8_185).fill(null) },
  };
  for (const [name, change] of Object.entries(bad))
    assert.throws(() => encodeLeaf({ ...plain, ...change }), malformed, name);
});

test("the longest leaf fits an entry bundle", () => {
  const leaf = encodeLeaf({ ...plain, previous: new Array(8_184).fill(5) });
  assert.ok(leaf.length <= MAX_LEAF_BYTES);
  assert.equal(decodeLeaf(leaf).previous.length, 8_184);
});
