import { generateKeyPairSync } from "node:crypto";
import { formatSubmission } from "../../src/tlog/add-checkpoint.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { ed25519Signer } from "../../src/tlog/note.ts";
import { entries, type NaiveTree, naiveTree } from "../tlog/naive-tree.ts";

/** A log whose operator may tell any story: a tree for each list of leaves, signed with one key. */
export interface ForkedLog {
  readonly verifierKey: string;
  readonly origin: string;
  readonly trunk: NaiveTree;
  /** Leaves as the trunk has them, up to here; then others. */
  fork(at: number): NaiveTree;
  note(tree: NaiveTree, size: number): string;
  /** The body of add-checkpoint that takes a witness from `old` to `size` of this tree. */
  submission(tree: NaiveTree, old: number, size: number): string;
}

const LEAVES = 600;

export function forkedLog(origin = "log.example/forked"): ForkedLog {
  const signer = ed25519Signer(origin, generateKeyPairSync("ed25519").privateKey);
  const leaves = entries(LEAVES);
  const note = (tree: NaiveTree, size: number) =>
    signCheckpoint({ origin, size, root: tree.root(size) }, [signer]);
  return {
    origin,
    verifierKey: signer.verifierKey,
    trunk: naiveTree(leaves),
    fork: (at) => naiveTree(leaves.map((leaf, i) => (i < at ? leaf : Buffer.from(`another entry ${i}`)))),
    note,
    submission(tree, old, size) {
      const proof = old > 0 && old < size ? tree.proof(old, size) : [];
      return formatSubmission({ old, proof, note: note(tree, size) });
    },
  };
}
