import assert from "node:assert/strict";
import { test } from "node:test";
import { type DerElement, derChildren, readDer } from "../../src/der/reader.ts";
import { der, oid, sequence, unsigned } from "../../src/der/writer.ts";
import { VouchsafeError } from "../../src/errors.ts";
import fc from "../support/fc.ts";
import { attribute } from "./timestamps.ts";
import { NOON, newTsa, root, stamp, tsa, verifyTimestamp } from "./trusted-tsa.ts";

/** With everything in it that nothing signs. */
const response = stamp({
  status: sequence(unsigned(Buffer.of(0)), sequence(der(0x0c, Buffer.from("granted")))),
  embedded: [newTsa(8).certificate, tsa.certificate, root.certificate],
  unsigned: der(0xa1, attribute(oid("1.2.3"), sequence())),
});

/** The element at this path of members, from the outermost. */
function at(path: readonly number[]): DerElement {
  return path.reduce((element, i) => {
    const child = derChildren(element.content)[i];
    assert.ok(child, `there is no member ${i}`);
    return child;
  }, readDer(response));
}

/** What nothing signs, and why it cannot change what is found. */
const UNSIGNED: Record<string, DerElement> = {
  "the status: granted, or granted with modifications, and a text": at([0]),
  "the digest algorithms, which only repeat the signer's": at([1, 1, 0, 1]),
  "the certificates, of which none is needed under an authority that signs timestamps itself": at([
    1, 1, 0, 3,
  ]),
  "the unsigned attributes, of which none is read": at([1, 1, 0, 4, 0, 6]),
};

function offsetOf({ encoded }: DerElement): number {
  return encoded.byteOffset - response.byteOffset;
}

function isUnsigned(offset: number): boolean {
  return Object.values(UNSIGNED).some((element) => {
    const start = offsetOf(element);
    return start <= offset && offset < start + element.encoded.length;
  });
}

/** What is found, undefined where a signature does not hold or the response is refused as it ought to be. */
function verify(bytes: Uint8Array) {
  try {
    return verifyTimestamp(bytes);
  } catch (error) {
    if (!(error instanceof VouchsafeError) || error.code !== "time-unverified") throw error;
    return undefined;
  }
}

test("no bit of what is signed can change, and none of the rest changes what is found", () => {
  const found = verify(response);
  assert.equal(found?.time, NOON);
  const harmless = new Set<string>();
  for (let bit = 0; bit < response.length * 8; bit += 1) {
    const offset = bit >> 3;
    const flipped = Buffer.from(response);
    flipped[offset] = (flipped[offset] ?? 0) ^ (1 << (bit & 7));
    const after = verify(flipped);
    if (after === undefined) continue;
    assert.ok(isUnsigned(offset), `bit ${bit & 7} of byte ${offset} is not signed`);
    assert.deepEqual(after, found);
    for (const [part, element] of Object.entries(UNSIGNED)) {
      if (offsetOf(element) <= offset && offset < offsetOf(element) + element.encoded.length)
        harmless.add(part);
    }
  }
  assert.deepEqual([...harmless].sort(), Object.keys(UNSIGNED).sort(), "a part of the table is signed");
});

test("whatever is cut out, put in or doubled, what is found is the same or nothing", () => {
  const found = verify(response);
  const place = fc.nat({ max: response.length });
  fc.assert(
    fc.property(place, place, fc.uint8Array({ maxLength: 8 }), fc.boolean(), (a, b, bytes, doubles) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const middle = doubles ? response.subarray(from, to) : Buffer.alloc(0);
      const spliced = Buffer.concat([
        response.subarray(0, from),
        bytes,
        middle,
        middle,
        response.subarray(to),
      ]);
      const after = verify(spliced);
      if (after !== undefined) assert.deepEqual(after, found);
    }),
    { numRuns: 2000 },
  );
});

test("any bytes are refused, and by no other error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => assert.equal(verify(bytes), undefined)),
    { numRuns: 2000 },
  );
});
