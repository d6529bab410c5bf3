import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { openCheckpoint } from "../../src/tlog/checkpoint.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { parseVerifierKey } from "../../src/tlog/note.ts";
import { verifyConsistency, verifyInclusion } from "../../src/tlog/proofs.ts";

/*
 * Vectors of other projects: transparency-dev/merkle, transparency-dev/tessera. The two cases
 * marked ambiguous (consistency from size 0 with roots that are no hashes) agree too: we refuse them.
 */

const corpus = new URL("../../../shared/corpus/", import.meta.url);
const manifest = new URL("MANIFEST.json", corpus);
const skip = existsSync(manifest) ? false : "the corpus is not at ../shared/corpus";

interface Case {
  readonly id: string;
  readonly format: string;
  readonly expected: "verified" | "rejected";
  readonly files: { readonly bundle: string };
  readonly policy?: { readonly noteVerifierKey: string; readonly origin: string };
}

function casesOf(format: string): Case[] {
  const { cases } = JSON.parse(readFileSync(manifest, "utf8")) as { cases: Case[] };
  const found = cases.filter((c) => c.format === format);
  assert.ok(found.length > 0, `the corpus has cases of ${format}`);
  return found;
}

function read(path: string): string {
  return readFileSync(new URL(path, corpus), "utf8");
}

/** Runs each case and compares its verdict; an error that is not ours disagrees with everything. */
function agree<C extends Case>(cases: readonly C[], check: (c: C) => void): void {
  for (const c of cases) {
    let verdict = "verified";
    try {
      check(c);
    } catch (error) {
      assert.ok(error instanceof VouchsafeError, `${c.id}: ${error}`);
      verdict = "rejected";
    }
    assert.equal(verdict, c.expected, c.id);
  }
}

test("inclusion proofs agree with the corpus", { skip }, () => {
  agree(casesOf("merkle-inclusion"), ({ files }) => {
    const { leafIdx, treeSize, root, leafHash, proof } = JSON.parse(read(files.bundle));
    verifyInclusion(bytes(leafHash), leafIdx, { size: treeSize, root: bytes(root) }, hashes(proof));
  });
});

test("consistency proofs agree with the corpus", { skip }, () => {
  agree(casesOf("merkle-consistency"), ({ files }) => {
    const { size1, size2, root1, root2, proof } = JSON.parse(read(files.bundle));
    const [first, second] = [
      { size: size1, root: bytes(root1) },
      { size: size2, root: bytes(root2) },
    ];
    verifyConsistency(first, second, hashes(proof));
  });
});

test("checkpoints agree with the corpus", { skip }, () => {
  // Those of Rekor, whose keys stand in a trusted root, are opened in test/verify/log-entry-corpus.test.ts.
  const withKey = casesOf("checkpoint").flatMap((c) =>
    c.policy === undefined ? [] : [{ ...c, policy: c.policy }],
  );
  const check = ({ files, policy: { origin, noteVerifierKey } }: (typeof withKey)[number]) => {
    openCheckpoint(read(files.bundle), origin, [parseVerifierKey(noteVerifierKey)]);
  };
  agree(withKey, check);
});

test("the roots of Tessera's log come out of its entry bundles", { skip }, () => {
  const bundle = readFileSync(new URL("tessera/log/tile/entries/000.p/12", corpus));
  const tile = readFileSync(new URL("tessera/log/tile/0/000.p/12", corpus));
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const length = bundle.readUInt16BE(at);
    leaves.push(leafHash(bundle.subarray(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  assert.deepEqual(Buffer.concat(leaves), tile);
});

function bytes(base64: string): Buffer {
  return Buffer.from(base64, "base64");
}

function hashes(proof: readonly string[] | null): Buffer[] {
  return (proof ?? []).map(bytes);
}
