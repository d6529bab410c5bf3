import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  digestOf,
  parseStatement,
  revisionDigests,
  sourceRefsOf,
} from "../../src/in-toto-attestation/index.ts";

const COMMIT = "9a04d1ee393b5be2773b1ce204f61fe0fd02366a";
const revision = digestOf("gitCommit", COMMIT);

function refsOf(...subject: object[]): readonly string[] | undefined {
  const statement = { _type: "https://in-toto.io/Statement/v1", subject, predicateType: "x", predicate: {} };
  return sourceRefsOf(parseStatement(Buffer.from(JSON.stringify(statement))), revision);
}

describe("the references of a revision", () => {
  const digest = { gitCommit: COMMIT };

  test("as the specification calls them, and as tools called them before", () => {
    for (const name of ["sourceRefs", "source_refs", "source_branches"]) {
      assert.deepEqual(refsOf({ digest, annotations: { [name]: ["refs/heads/main"] } }), ["refs/heads/main"]);
    }
  });

  test("are those of the subject that is the revision", () => {
    const other = { digest: { gitCommit: "0".repeat(40) }, annotations: { sourceRefs: ["refs/heads/dev"] } };
    assert.deepEqual(refsOf(other, { digest, annotations: { sourceRefs: ["refs/heads/main"] } }), [
      "refs/heads/main",
    ]);
    assert.equal(refsOf(other), undefined);
  });

  test("are unknown where none are named, and none where what is named is no text", () => {
    assert.equal(refsOf({ digest }), undefined);
    assert.equal(refsOf({ digest, annotations: { other: ["refs/heads/main"] } }), undefined);
    for (const sourceRefs of ["refs/heads/main", {}, null, [1, null]]) {
      assert.deepEqual(refsOf({ digest, annotations: { sourceRefs } }), []);
    }
  });
});

test("a commit is named by its id, in whole and in lower case", () => {
  assert.deepEqual(revisionDigests(COMMIT), [revision, digestOf("sha1", COMMIT)]);
  const long = "b".repeat(64);
  assert.deepEqual(revisionDigests(long), [digestOf("gitCommit", long)]);
  for (const text of ["", "main", COMMIT.slice(1), COMMIT.toUpperCase(), `${COMMIT}\n`]) {
    assert.deepEqual(revisionDigests(text), [], text);
  }
});
