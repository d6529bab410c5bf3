import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { artifactOfArgument, digestsOfArgument } from "../../../src/cli/arguments/artifact.ts";
import { UsageError } from "../../../src/cli/usage-error.ts";

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-artifact-"));
});
after(() => rm(directory, { recursive: true, force: true }));

const HEX = "0a".repeat(32);

test("a digest is taken as it is, and a file by each digest that can ground an allow", async () => {
  const commit = `gitCommit:${"c".repeat(40)}`;
  assert.deepEqual(await digestsOfArgument(commit), [commit]);
  const file = join(directory, "a:file");
  await writeFile(file, "");
  const digests = await digestsOfArgument(file);
  assert.deepEqual(
    digests.map((digest) => digest.slice(0, 15)),
    ["sha256:e3b0c442", "sha384:38b060a7", "sha512:cf83e135"],
  );
  assert.deepEqual((await artifactOfArgument(file)).digests, digests);
});

test("what is neither a digest nor a file is told by what is wrong with it", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [`sha256:${HEX.toUpperCase()}`, /a sha256 digest has 64 lower-case hexadecimal digits/],
    ["sha256:0a0a", /a sha256 digest has 64 lower-case/],
    [`SHA256:${HEX}`, /the algorithm is written sha256/],
    [`sha257:${HEX}`, /the digest algorithm is not known/],
    [HEX, new RegExp(`names its algorithm before a colon: sha256:${HEX}`)],
    [HEX.toUpperCase().repeat(2), /before a colon: sha512:0a0a/],
    ["not-there", /neither a digest, such as sha256:9f86…, nor a file: it is not there/],
    [directory, /cannot be read: it is a directory/],
  ];
  for (const [argument, reason] of cases) {
    await assert.rejects(digestsOfArgument(argument), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, reason);
      return true;
    });
  }
});

test("a digest too weak to ground an allow is no artifact that evidence is held against", async () => {
  const weak = artifactOfArgument(`sha1:${"a".repeat(40)}`);
  await assert.rejects(weak, /only sha256, sha384 and sha512 ground an allow/);
});
