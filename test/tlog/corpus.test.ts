import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { openCheckpoint } from "../../src/tlog/checkpoint.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { type NoteVerifier, parseVerifierKey } from "../../src/tlog/note.ts";
import { verifyConsistency, verifyInclusion } from "../../src/tlog/proofs.ts";

/*
 * Vectors of other projects: transparency-dev/merkle, transparency-dev/tessera, sigstore-java. The two cases
 * marked ambiguous (consistency from size 0 with roots that are no hashes) agree too: we refuse them.
 */

const corpus = new URL("../../../shared/corpus/", import.meta.url);
const manifest = new URL("MANIFEST.json", corpus);
const skip = existsSync(manifest) ? false : "the corpus is not at ../shared/corpus";

interface Case {
  readonly id: string;
  readonly format: string;
  readonly expected: "verified" | "rejected";
  readonly files: { readonly bundle: string; readonly trustedRoot?: string };
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
function agree(cases: readonly Case[], check: (c: Case) => void): void {
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
  agree(casesOf("checkpoint"), ({ files, policy }) => {
    const note = read(files.bundle);
    if (policy !== undefined) openCheckpoint(note, policy.origin, [parseVerifierKey(policy.noteVerifierKey)]);
    else
      openCheckpoint(
        note,
        note.split("\n", 1)[0] as string,
        rekorVerifiers(read(files.trustedRoot as string)),
      );
  });
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

/**
 * Rekor v1 signs its checkpoints with ECDSA under the host name of its URL; the key id is the start of the
 * SHA-256 of the whole SubjectPublicKeyInfo (signed-note, type 0x02).
 */
function rekorVerifiers(trustedRoot: string): NoteVerifier[] {
  const { tlogs } = JSON.parse(trustedRoot) as {
    tlogs: { baseUrl: string; publicKey: { rawBytes: string } }[];
  };
  return tlogs.map(({ baseUrl, publicKey }) => {
    const spki = bytes(publicKey.rawBytes);
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    return {
      name: new URL(baseUrl).host,
      keyId: createHash("sha256").update(spki).digest().readUInt32BE(),
      verify: (text, signature) => verify("sha256", text, key, signature),
    };
  });
}

function bytes(base64: string): Buffer {
  return Buffer.from(base64, "base64");
}

function hashes(proof: readonly string[] | null): Buffer[] {
  return (proof ?? []).map(bytes);
}
