import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { evidenceIdOf } from "../../../src/cli/evidence/evidence-id.ts";
import { UsageError } from "../../../src/cli/usage-error.ts";
import { canonicalJson, type JsonValue, sha256 } from "../../../src/in-toto-attestation/index.ts";

const [ONE, OTHER] = [{ mediaType: "one" }, { mediaType: "another" }];
const idOf = (piece: JsonValue) => sha256(canonicalJson(piece));

describe("evidence as named on the command line", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-evidence-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function file(text: string): Promise<string> {
    const path = join(directory, "evidence");
    await writeFile(path, text);
    return path;
  }
  const listOf = (...bundles: object[]) =>
    file(JSON.stringify({ attestations: bundles.map((bundle) => ({ bundle })) }, null, 2));

  test("is what has this digest, or the one piece that a file holds", async () => {
    assert.equal(await evidenceIdOf(idOf(ONE)), idOf(ONE));
    assert.equal(await evidenceIdOf(await file("some bytes")), sha256("some bytes"));
    assert.equal(await evidenceIdOf(await listOf(ONE)), idOf(ONE), "and not the list that it came in");
    assert.equal(await evidenceIdOf(await file(`${canonicalJson(ONE)}\n${canonicalJson(ONE)}\n`)), idOf(ONE));
  });

  test("is not guessed where a file holds several pieces: their ids are told", async () => {
    const lines = await file(`${canonicalJson(ONE)}\n${canonicalJson(OTHER)}\n`);
    const several = new RegExp(`holds 2 pieces of evidence: name one, ${idOf(ONE)} or ${idOf(OTHER)}$`);
    const refused = (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, several);
      return true;
    };
    await assert.rejects(evidenceIdOf(lines), refused);
    await assert.rejects(evidenceIdOf(await listOf(ONE, OTHER)), refused);
  });

  test("is none in a list that cannot be taken apart", async () => {
    await assert.rejects(evidenceIdOf(await file('{"attestations":[7]}')), UsageError);
  });
});
