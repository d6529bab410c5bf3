import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { filesMatching } from "../../src/action/glob.ts";
import { parsePathList } from "../../src/action/path-list.ts";
import { subjectsOf } from "../../src/action/subjects.ts";

const FILES = [
  "dist/a.tgz",
  "dist/b.tgz",
  "dist/.hidden.tgz",
  "dist/sub/c.tgz",
  "dist/sub/.deep/d.tgz",
  "dist/{e}.tgz",
  "dist/[f].tgz",
  "dist/notes.txt",
  "other/a.tgz",
];
const digestsOf = (text: string) =>
  ["sha256", "sha384", "sha512"].map((name) => `${name}:${createHash(name).update(text).digest("hex")}`);

let cwd: string;
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), "vouchsafe-subjects-"));
  for (const directory of ["dist/sub/.deep", "other"]) await mkdir(join(cwd, directory), { recursive: true });
  for (const file of FILES) await writeFile(join(cwd, file), file);
  // A link that leads back: it must end.
  await symlink("..", join(cwd, "dist/sub/up"));
});
after(() => rm(cwd, { recursive: true }));

test("lists are separated by line ends and commas; quotes keep commas", () => {
  assert.deepEqual(parsePathList('dist/foo, dist/bar\r\n\n  baz  \n"a,b", c,,"say ""x"""'), [
    "dist/foo",
    "dist/bar",
    "baz",
    "a,b",
    "c",
    'say "x"',
  ]);
});

test("patterns mean what they mean to the action that attests", async () => {
  const table: readonly (readonly [readonly string[], readonly string[]])[] = [
    [["dist/*.tgz"], ["dist/.hidden.tgz", "dist/[f].tgz", "dist/a.tgz", "dist/b.tgz", "dist/{e}.tgz"]],
    [["./dist/?.tgz"], ["dist/a.tgz", "dist/b.tgz"]],
    [["dist/[ac].tgz"], ["dist/a.tgz"]],
    [["dist/[!a].tgz"], ["dist/b.tgz"]],
    [["dist/[[]f].tgz"], ["dist/[f].tgz"]],
    [["dist/\\[f\\].tgz"], ["dist/[f].tgz"]],
    [["dist/{a,e}.tgz"], []],
    [["dist/{e}.tgz"], ["dist/{e}.tgz"]],
    [["**/a.tgz"], ["dist/a.tgz", "other/a.tgz"]],
    [["dist/sub"], ["dist/sub/.deep/d.tgz", "dist/sub/c.tgz"]],
    [["dist/sub/**"], ["dist/sub/.deep/d.tgz", "dist/sub/c.tgz"]],
    [
      ["dist/**/*.tgz", "!dist/sub", "!**/.*"],
      ["dist/[f].tgz", "dist/a.tgz", "dist/b.tgz", "dist/{e}.tgz"],
    ],
    [["dist/*.tgz", "!dist/*", "dist/a.tgz"], ["dist/a.tgz"]],
    [["!dist/a.tgz", "dist/a.tgz"], ["dist/a.tgz"]],
    [["# a comment", "dist/notes.txt"], ["dist/notes.txt"]],
    [["none/**", "dist/none"], []],
  ];
  for (const [patterns, expected] of table) {
    const found = (await filesMatching(patterns, cwd)).map((file) => relative(cwd, file));
    // Through the link some are found a second time, by a longer way.
    assert.deepEqual(
      found.filter((file) => !file.includes("/up/")).sort(),
      [...expected].sort(),
      patterns.join(" "),
    );
  }
  await assert.rejects(filesMatching(["../*"], cwd), { name: "UsageError" });
  await assert.rejects(filesMatching(["[z-a]"], cwd), { name: "UsageError" });
});

describe("subjects", () => {
  test("are files by all their digests, under their name or the one that is given", async () => {
    assert.deepEqual(await subjectsOf({ subjectPath: "dist/a.tgz,dist/b.tgz" }, cwd), [
      { name: "a.tgz", digests: digestsOf("dist/a.tgz") },
      { name: "b.tgz", digests: digestsOf("dist/b.tgz") },
    ]);
    assert.deepEqual(await subjectsOf({ subjectPath: "dist/a.tgz", subjectName: "app" }, cwd), [
      { name: "app", digests: digestsOf("dist/a.tgz") },
    ]);
  });

  test("are lines of checksums, in a file or as they are, each once", async () => {
    const text = `${"a".repeat(64)}  one\r\n${"B".repeat(128)} *two words\n${"a".repeat(64)}  one\n\n`;
    const expected = [
      { name: "one", digests: [`sha256:${"a".repeat(64)}`] },
      { name: "two words", digests: [`sha512:${"b".repeat(128)}`] },
    ];
    await writeFile(join(cwd, "SHA256SUMS"), text);
    assert.deepEqual(await subjectsOf({ subjectChecksums: text }, cwd), expected);
    assert.deepEqual(await subjectsOf({ subjectChecksums: "SHA256SUMS" }, cwd), expected);
  });

  test("are none where nothing names any", async () => {
    assert.equal(await subjectsOf({}, cwd), undefined);
  });

  test("are never fewer than was meant: what cannot be read is a mistake", async () => {
    const ok = "a".repeat(64);
    const wrong: readonly Parameters<typeof subjectsOf>[0][] = [
      { subjectChecksums: "none.txt" },
      { subjectChecksums: `${ok}  one\nnot a line` },
      { subjectChecksums: `${"a".repeat(40)}  one` },
      { subjectChecksums: "dist" },
      { subjectPath: "none" },
      { subjectDigest: "sha1:0123", subjectName: "x" },
      { subjectDigest: ok, subjectName: "x" },
      { subjectDigest: `sha256:${ok}` },
      { subjectDigest: `sha256:${ok}`, subjectName: "x", subjectPath: "dist/a.tgz" },
      { subjectChecksums: Array.from({ length: 1025 }, (_, i) => `${ok}  file-${i}`).join("\n") },
    ];
    for (const inputs of wrong) {
      await assert.rejects(
        subjectsOf(inputs, cwd),
        { name: "UsageError" },
        JSON.stringify(inputs).slice(0, 99),
      );
    }
  });
});
