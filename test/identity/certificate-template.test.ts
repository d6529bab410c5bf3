import assert from "node:assert/strict";
import { test } from "node:test";
import { sequence } from "../../src/der/writer.ts";
import { createTemplates } from "../../src/identity/certificate-template.ts";
import fc from "../support/fc.ts";

const write = ([first = Buffer.of(), second = Buffer.of()]: readonly Uint8Array[] = []) =>
  sequence(Buffer.from("header"), first, sequence(second), Buffer.from("end"));

test("property: what a template writes is what writing anew gives, whatever came before", () => {
  const templates = createTemplates(write);
  const value = fc.uint8Array({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(value, value, (first, second) => {
      assert.deepEqual(templates.write([first, second]), write([first, second]));
    }),
  );
});

test("values may stand in any order", () => {
  const swapped = createTemplates(([a, b] = []) => write([b ?? Buffer.of(), a ?? Buffer.of()]));
  const [one, other] = [Buffer.from("one"), Buffer.from("other")];
  assert.deepEqual(swapped.write([one, other]), write([other, one]));
});

test("a template refuses a value that is not written", () => {
  assert.throws(
    () => createTemplates(([a] = []) => sequence(a ?? Buffer.of())).write([Buffer.of(1), Buffer.of(2)]),
    RangeError,
  );
});

test("a template refuses a shape in which more varies than its values", () => {
  const counting = createTemplates(([a] = []) => sequence(a ?? Buffer.of(), Buffer.of((a?.at(-1) ?? 0) + 1)));
  assert.throws(() => counting.write([Buffer.from("x")]), RangeError);
});
