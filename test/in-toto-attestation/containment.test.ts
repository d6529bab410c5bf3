import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  CONTAINMENT_PREDICATE_TYPE,
  containerOf,
  type JsonObject,
  type Statement,
  sha256,
} from "../../src/in-toto-attestation/index.ts";

const file = sha256("file");
const container = (digest: JsonObject) => said({ container: { digest } });

function said(predicate: JsonObject, predicateType = CONTAINMENT_PREDICATE_TYPE) {
  const statement: Statement = {
    type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: file.slice(7) } }],
    predicateType,
    predicate,
  };
  return containerOf(statement);
}

describe("a statement of containment", () => {
  const [a, b] = ["a".repeat(64), "b".repeat(128)];

  test("names what holds its subjects, by each digest that is strong", () => {
    assert.deepEqual(container({ sha256: a }), [`sha256:${a}`]);
    const md5 = "c".repeat(32);
    assert.deepEqual(container({ md5, sha512: b, sha256: a, other: "?" }), [`sha256:${a}`, `sha512:${b}`]);
  });

  test("is none of another type", () => {
    assert.equal(said({ container: { digest: { sha256: a } } }, "https://example.com/other/v1"), undefined);
  });

  const MALFORMED: Readonly<Record<string, JsonObject>> = {
    "no container": {},
    "a container that is text": { container: `sha256:${a}` },
    "no digest": { container: {} },
    "a weak digest alone": { container: { digest: { sha1: "c".repeat(40) } } },
    "a commit": { container: { digest: { gitCommit: "c".repeat(40) } } },
    "a digest in capitals": { container: { digest: { sha256: a.toUpperCase() } } },
    "a digest that is a number": { container: { digest: { sha256: 1 } } },
  };
  for (const [what, predicate] of Object.entries(MALFORMED)) {
    test(`is malformed with ${what}`, () =>
      assert.throws(() => said(predicate), { code: "malformed-statement" }));
  }
});
