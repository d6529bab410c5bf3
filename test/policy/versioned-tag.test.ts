import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { versionedTag } from "../../src/policy/versioned-tag.ts";

const takes = (wanted: string, tag: string) => versionedTag(wanted)?.matches(`refs/tags/${tag}`);

/** The first column takes the second, and not the third. */
const VERSIONS: readonly [wanted: string, taken: readonly string[], refused: readonly string[]][] = [
  [
    "v1",
    ["v1", "v1.0", "v1.2.3", "v1.2.3+linux.amd64"],
    ["v10", "v2.1.0", "1.2.3", "v1.2.3-rc.1", "v1.", "version1"],
  ],
  ["v1.2", ["v1.2", "v1.2.0", "v1.2.30"], ["v1", "v1.20.0", "v1.3.2", "v1.2.3-beta"]],
  ["v1.0", ["v1", "v1.0.7"], ["v1.1"]],
  ["v1.2.3", ["v1.2.3", "v1.2.3+1"], ["v1.2", "v1.2.31", "v1.2.3-rc.1", "v1.2.3.4", "v01.2.3"]],
  ["v1.2.0", ["v1.2", "v1.2.0"], ["v1.2.1"]],
  ["v1.2.3-rc.1", ["v1.2.3-rc.1", "v1.2.3-rc.1+5"], ["v1.2.3", "v1.2.3-rc.2", "v1.2.3-RC.1"]],
  ["v1.9007199254740993", ["v1.9007199254740993.1"], ["v1.9007199254740992.1"]],
];

describe("a version takes the tags that begin like it", () => {
  for (const [wanted, taken, refused] of VERSIONS) {
    test(wanted, () => {
      for (const tag of taken) assert.equal(takes(wanted, tag), true, tag);
      for (const tag of refused) assert.equal(takes(wanted, tag), false, tag);
    });
  }

  test("a branch of that name is no tag", () => {
    assert.equal(versionedTag("v1")?.matches("refs/heads/v1"), false);
    assert.equal(versionedTag("v1")?.matches("v1"), false);
    assert.equal(versionedTag("v1")?.matches("refs/tags/tool/v1"), false);
  });

  test("what is no version is none to ask for", () => {
    for (const text of [
      "",
      "1.2",
      "v",
      "v1.*",
      "v1.2-rc.1",
      "v1.2.3-",
      "v1.2.3+",
      "refs/tags/v1",
      "v-1",
      "v1 ",
    ]) {
      assert.equal(versionedTag(text), undefined, text);
    }
  });
});
