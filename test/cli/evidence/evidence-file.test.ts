import assert from "node:assert/strict";
import { test } from "node:test";
import { piecesOf } from "../../../src/cli/evidence/evidence-file.ts";
import fc from "../../support/fc.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const shape = (text: string) =>
  piecesOf(bytes(text)).map((piece) =>
    piece.case !== "lines"
      ? piece.case
      : `lines ${piece.numbers.length > 4 ? `${piece.numbers[0]} to ${piece.numbers.at(-1)}` : piece.numbers}`,
  );

const cases: { name: string; text: string; pieces: string[] }[] = [
  { name: "one document on one line", text: '{"a":1}', pieces: ["item"] },
  { name: "one document with a newline at its end", text: '{"a":1}\n', pieces: ["item"] },
  { name: "one document over several lines", text: '{\n  "a": 1\n}\n', pieces: ["item"] },
  { name: "two documents, a line each", text: '{"a":1}\n{"b":2}\n', pieces: ["lines 1,2"] },
  { name: "a last line without its newline", text: '{"a":1}\n{"b":2}', pieces: ["lines 1,2"] },
  {
    name: "a broken line among others is the server's to refuse",
    text: '{"a":1}\n{',
    pieces: ["lines 1,2"],
  },
  {
    name: "empty lines, which have numbers but are nothing",
    text: "{}\n\n\r\n{}\n\n",
    pieces: ["lines 1,4"],
  },
  { name: "a manifest, as registries write it", text: '{\n  "schemaVersion": 2\n}', pieces: ["manifest"] },
  { name: "a registry's list", text: '{"attestations":[{"bundle":{}}]}', pieces: ["container"] },
  {
    name: "a list that cannot be unpacked is the server's to refuse",
    text: '{"attestations":[]}',
    pieces: ["item"],
  },
  { name: "nothing", text: "", pieces: ["item"] },
  { name: "no JSON at all", text: "not json\nat all\n", pieces: ["item"] },
];
for (const { name, text, pieces } of cases) {
  test(name, () => assert.deepEqual(shape(text), pieces));
}

test("more lines than one request takes are cut into several, with the numbers that they have in the file", () => {
  assert.deepEqual(shape("{}\n".repeat(2001)), ["lines 1 to 1000", "lines 1001 to 2000", "lines 2001"]);
});

test("more bytes than one request takes are cut between lines", () => {
  const line = `"${"x".repeat(3 * 1024 * 1024)}"\n`;
  assert.deepEqual(shape(line.repeat(5)), ["lines 1,2", "lines 3,4", "lines 5"]);
});

test("pieces are the file: no byte is added, lost or moved", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("{}", '{"a":1}', "", "x", "\r"), { maxLength: 40 }), (lines) => {
      const file = bytes(lines.join("\n"));
      assert.deepEqual(Buffer.concat(piecesOf(file).map((piece) => piece.bytes)), Buffer.from(file));
    }),
  );
});
