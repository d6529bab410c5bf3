import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AttestationFormatError,
  canonicalJson,
  type JsonValue,
  parseJson,
} from "../../src/in-toto-attestation/index.ts";
import fc from "../support/fc.ts";

const parse = (text: string, limits = {}) => parseJson(Buffer.from(text), limits);

/** Values that strict JSON can hold: no lone surrogates, no -0 (which JSON.stringify drops). */
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.string({ unit: "grapheme-composite" }),
    fc.array(tie("json")),
    fc.dictionary(fc.oneof(fc.string({ unit: "grapheme" }), fc.constant("__proto__")), tie("json")),
  ),
}));

describe("parseJson", () => {
  test("takes half a million values and no more", () => {
    const list = (length: number, item: string) => `[${Array(length).fill(item).join(",")}]`;
    // The list is a value too.
    assert.equal((parse(list(499_999, '"[{,"')) as readonly JsonValue[]).length, 499_999);
    assert.throws(() => parse(list(500_000, "0")), { code: "too-many-items" });
  });

  test("counts what stands in each other as values, before it builds any of them", () => {
    const levels = (open: string, close: string) => `${open.repeat(62)}0${close.repeat(62)}`;
    const many = (item: string) => `[${Array(10_000).fill(item).join(",")}]`;
    for (const item of [levels("[", "]"), levels('{"":', "}")]) {
      assert.doesNotThrow(() => parse(`[${item}]`));
      // That it is no JSON would be found by building it.
      assert.throws(() => parse(`${many(item)},`), { code: "too-many-items" });
    }
  });

  test("reads what JSON.parse reads, whatever the layout", () => {
    fc.assert(
      fc.property(json, fc.constantFrom(0, 1, "\t"), (value, space) => {
        const text = JSON.stringify(value, null, space);
        assert.equal(JSON.stringify(parse(text)), JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test("accepts no text that JSON.parse refuses, and throws nothing but its own error", () => {
    const nearJson = fc.oneof(
      fc.string(),
      fc.string({
        unit: fc.constantFrom("{", "}", "[", "]", '"', ":", ",", "\\", "u", "0", "-", ".", "e", " ", "t"),
      }),
      fc.tuple(json, fc.nat(), fc.string()).map(([value, at, inserted]) => {
        const text = JSON.stringify(value);
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + inserted + text.slice(cut + 1);
      }),
    );
    fc.assert(
      fc.property(nearJson, (text) => {
        try {
          const value = parse(text);
          assert.equal(JSON.stringify(value), JSON.stringify(JSON.parse(Buffer.from(text).toString())));
        } catch (error) {
          if (!(error instanceof AttestationFormatError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("throws nothing but its own error on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          parseJson(bytes);
        } catch (error) {
          if (!(error instanceof AttestationFormatError)) throw error;
        }
      }),
    );
  });

  const refused: [name: string, text: string | Uint8Array, code: string][] = [
    ["nothing", "", "malformed-json"],
    ["a member twice", '{"a":1,"a":1}', "malformed-json"],
    ["a member twice, once escaped", '{"a":1,"\\u0061":2}', "malformed-json"],
    ["__proto__ twice", '{"__proto__":1,"__proto__":2}', "malformed-json"],
    ["trailing data", "{} {}", "malformed-json"],
    ["a trailing comma in an object", '{"a":1,}', "malformed-json"],
    ["a trailing comma in an array", "[1,]", "malformed-json"],
    ["a byte order mark", "\ufeff{}", "malformed-json"],
    ["invalid UTF-8", Buffer.from([0x22, 0xff, 0x22]), "malformed-json"],
    ["UTF-8 of a surrogate", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), "malformed-json"],
    ["an escaped lone surrogate", '"\\ud800"', "malformed-json"],
    ["a control character in a string", '"\u0001"', "malformed-json"],
    ["an unknown escape", '"\\x41"', "malformed-json"],
    ["an escaped end", '"\\"', "malformed-json"],
    ["a leading zero", "01", "malformed-json"],
    ["a leading plus", "+1", "malformed-json"],
    ["a number beyond a double", "1e400", "malformed-json"],
    ["NaN", "NaN", "malformed-json"],
    ["a comment", "/**/1", "malformed-json"],
    ["other white space", "\u00a01", "malformed-json"],
  ];
  for (const [name, text, code] of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(() => parseJson(Buffer.from(text)), { name: "AttestationFormatError", code });
    });
  }

  test("limits depth exactly, and answers at once however deep it is", () => {
    assert.doesNotThrow(() => parse("[".repeat(64) + "]".repeat(64)));
    assert.throws(() => parse("[".repeat(65) + "]".repeat(65)), { code: "json-too-deep" });
    assert.throws(() => parse('{"a":'.repeat(1_000_000)), { code: "json-too-deep" });
    assert.doesNotThrow(() => parse("[[]]", { maxDepth: 2 }));
    assert.throws(() => parse("[[]]", { maxDepth: 1 }), { code: "json-too-deep" });
  });

  test("limits size in bytes", () => {
    assert.doesNotThrow(() => parse('"é"', { maxBytes: 4 }));
    assert.throws(() => parse('"é"', { maxBytes: 3 }), { code: "body-too-large" });
  });

  test("objects inherit nothing, so no name that is not there is found", () => {
    const object = parse('{"__proto__":{"polluted":true}}') as Record<string, JsonValue>;
    assert.equal(object.constructor, undefined);
    assert.equal(object.polluted, undefined);
    assert.deepEqual(Object.keys(object), ["__proto__"]);
  });
});

describe("canonicalJson", () => {
  test("RFC 8785 §3.2.3: members sorted by UTF-16 code units", () => {
    const text =
      '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh",' +
      '"1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}';
    assert.deepEqual(Object.values(JSON.parse(canonicalJson(parse(text)))).slice(1), [
      "Carriage Return",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
    assert.ok(canonicalJson(parse(text)).startsWith('{"\\r":"Carriage Return","1":"One",'));
  });

  test("RFC 8785 §3.2.2: literals, numbers and strings", () => {
    const text =
      '{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],' +
      ' "string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/", "literals": [null, true, false] }';
    assert.equal(
      canonicalJson(parse(text)),
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test("is a fixed point, and independent of the order of members", () => {
    fc.assert(
      fc.property(json, (value) => {
        const canonical = canonicalJson(parse(JSON.stringify(value)));
        assert.equal(canonicalJson(parse(canonical)), canonical);
        assert.equal(canonicalJson(parse(JSON.stringify(reversed(value)))), canonical);
      }),
    );
  });

  for (const value of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "\ud800",
    { a: undefined },
    ["\udc00"],
    { "\ud800": 1 },
  ]) {
    test(`refuses ${JSON.stringify(value)}`, () => {
      assert.throws(() => canonicalJson(value as JsonValue), { code: "malformed-json" });
    });
  }
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).reverse();
  return Object.fromEntries(members.map(([name, member]) => [name, reversed(member)]));
}
