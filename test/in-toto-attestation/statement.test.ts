import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AttestationFormatError,
  parseStatement,
  provenanceOf,
  subjectsOf,
} from "../../src/in-toto-attestation/index.ts";
import fc from "../support/fc.ts";

const sha256Hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const good = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "widget.tgz", digest: { sha256: sha256Hex } }],
  predicateType: "https://slsa.dev/provenance/v1",
  predicate: {},
};
const parse = (value: unknown) => parseStatement(Buffer.from(JSON.stringify(value)));

describe("parseStatement", () => {
  test("reads both versions and ignores members that it does not know", () => {
    for (const _type of ["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"]) {
      const statement = parse({ ...good, _type, future: true });
      assert.equal(statement.type, _type);
      assert.equal(statement.subject[0]?.name, "widget.tgz");
    }
  });

  test("an absent predicate and a null one have no members", () => {
    const { predicate: _, ...without } = good;
    assert.equal(Object.keys(parse(without).predicate).length, 0);
    assert.equal(Object.keys(parse({ ...good, predicate: null }).predicate).length, 0);
  });

  const subject = (digest: unknown) => ({ ...good, subject: [{ digest }] });
  const refused: [name: string, value: unknown, code: string][] = [
    ["an array", [], "malformed-statement"],
    ["another _type", { ...good, _type: "https://in-toto.io/Statement/v2" }, "malformed-statement"],
    ["a _type that is inherited", { ...good, _type: "__proto__" }, "malformed-statement"],
    ["no predicate type", { ...good, predicateType: undefined }, "malformed-statement"],
    ["an empty predicate type", { ...good, predicateType: "" }, "malformed-statement"],
    ["a predicate that is no object", { ...good, predicate: [] }, "malformed-statement"],
    ["no subject", { ...good, subject: [] }, "malformed-statement"],
    ["a subject without digest", subject({}), "malformed-statement"],
    ["a digest that is no string", subject({ sha256: 1 }), "malformed-statement"],
    ["a digest in upper case", subject({ sha256: sha256Hex.toUpperCase() }), "malformed-statement"],
    ["a digest that is cut off", subject({ sha256: sha256Hex.slice(1) }), "malformed-statement"],
    [
      "a name that is no string",
      { ...good, subject: [{ name: 1, digest: { sha256: sha256Hex } }] },
      "malformed-statement",
    ],
    ["1,025 subjects", { ...good, subject: Array(1025).fill(good.subject[0]) }, "too-many-items"],
  ];
  for (const [name, value, code] of refused) {
    test(`refuses ${name}`, () => assert.throws(() => parse(value), { code }));
  }

  test("throws nothing but its own error, provenance and subjects included", () => {
    const member = fc.oneof(
      fc.jsonValue(),
      fc.constant({ id: "x" }),
      fc.constant({ uri: "git+https://a/b@refs/heads/c" }),
    );
    const predicate = fc.dictionary(
      fc.constantFrom(
        "builder",
        "buildType",
        "invocation",
        "materials",
        "metadata",
        "recipe",
        "buildDefinition",
        "runDetails",
      ),
      fc.oneof(
        member,
        fc.dictionary(fc.constantFrom("builder", "buildType", "externalParameters", "metadata"), member),
      ),
    );
    const nearStatement = fc.record({
      _type: fc.constant(good._type),
      subject: fc.oneof(fc.jsonValue(), fc.constant(good.subject)),
      predicateType: fc.constantFrom(
        ..."v0.1 v0.2 v1".split(" ").map((v) => `https://slsa.dev/provenance/${v}`),
      ),
      predicate: fc.oneof(fc.jsonValue(), predicate),
    });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), nearStatement), (value) => {
        try {
          const statement = parse(value);
          subjectsOf(statement);
          provenanceOf(statement);
        } catch (error) {
          if (!(error instanceof AttestationFormatError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("subjectsOf", () => {
  test("keeps known algorithms, strongest first, at most four", () => {
    const statement = parse(
      subjectWith({
        md5: "0".repeat(32),
        gitCommit: "1".repeat(40),
        sha1: "2".repeat(40),
        sha512: "3".repeat(128),
        "gitoid:sha256": "whatever it is",
        sha256: sha256Hex,
      }),
    );
    assert.deepEqual(
      subjectsOf(statement)[0]?.digests.map((digest) => digest.split(":")[0]),
      ["sha256", "sha512", "sha1", "md5"],
    );
    assert.equal(statement.subject[0]?.digest["gitoid:sha256"], "whatever it is", "kept as signed");
  });

  test("a subject that nothing can be looked up by is left out", () => {
    assert.deepEqual(subjectsOf(parse(subjectWith({ foo: "bar", __proto__: "x" }))), []);
  });
});

function subjectWith(digest: Record<string, string>) {
  return { ...good, subject: [{ digest }] };
}
