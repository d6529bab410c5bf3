import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DerError, derChildren, readDer } from "../../src/der/reader.ts";
import fc from "../support/fc.ts";
import { der } from "../verify/certificates.ts";

describe("readDer", () => {
  test("reads lengths in their one spelling", () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
      const { tag, content, encoded } = readDer(der(0x04, Buffer.alloc(length, 7)));
      assert.equal(tag, 0x04);
      assert.equal(content.length, length);
      assert.deepEqual(Buffer.from(encoded), der(0x04, Buffer.alloc(length, 7)));
    }
  });

  const refused: [name: string, hex: string][] = [
    ["nothing", ""],
    ["a tag alone", "30"],
    ["content cut off", "3002ff"],
    ["a length cut off", "308201"],
    ["anything after it", "300000"],
    ["an indefinite length", "30800000"],
    ["a long length for a short content", "308101ff"],
    ["a length with a leading zero", `30820080${"00".repeat(128)}`],
    ["a length of four bytes", "308400000001ff"],
    ["a tag of two bytes", "1f2000"],
  ];
  for (const [name, hex] of refused) {
    test(`refuses ${name}`, () => assert.throws(() => readDer(Buffer.from(hex, "hex")), DerError));
  }

  test("children cover the content exactly, or it is refused; nothing else is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          const children = derChildren(bytes);
          assert.deepEqual(Buffer.concat(children.map(({ encoded }) => encoded)), Buffer.from(bytes));
        } catch (error) {
          if (!(error instanceof DerError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
