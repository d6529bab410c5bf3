import { openCheckpoint } from "../../src/tlog/checkpoint.ts";
import { parseVerifierKey } from "../../src/tlog/note.ts";
import { verifyConsistency, verifyInclusion } from "../../src/tlog/proofs.ts";
import { readCheckpoint } from "../../src/verify/log-checkpoint.ts";
import { checkNow, holding } from "../../src/verify/signature-check.ts";
import { trustOf } from "./case-trust.ts";
import type { Case, Corpus } from "./manifest.ts";

interface InclusionVector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
}

interface ConsistencyVector {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
  readonly proof: readonly string[] | null;
}

/** Throws where the proof does not hold. */
export function checkInclusion({ files }: Case, corpus: Corpus): undefined {
  const { leafIdx, treeSize, root, leafHash, proof }: InclusionVector = vector(files.bundle, corpus);
  verifyInclusion(decoded(leafHash), leafIdx, { size: treeSize, root: decoded(root) }, hashes(proof));
}

/** Throws where the proof does not hold. */
export function checkConsistency({ files }: Case, corpus: Corpus): undefined {
  const { size1, size2, root1, root2, proof }: ConsistencyVector = vector(files.bundle, corpus);
  const [first, second] = [
    { size: size1, root: decoded(root1) },
    { size: size2, root: decoded(root2) },
  ];
  verifyConsistency(first, second, hashes(proof));
}

/** A checkpoint of a log whose key the case names, or of a Rekor log that its trusted root holds. */
export function checkCheckpoint(test: Case, corpus: Corpus): string | undefined {
  const note = corpus.read(test.files.bundle).toString();
  const { noteVerifierKey, origin } = test.policy ?? {};
  if (noteVerifierKey !== undefined && origin !== undefined) {
    openCheckpoint(note, origin, [parseVerifierKey(noteVerifierKey)]);
    return undefined;
  }
  const logs = trustOf(test, corpus).instances.flatMap((instance) => instance.logs);
  const [held] = checkNow(holding([[readCheckpoint(note, logs)]]));
  return held.length === 1 ? undefined : "the log's signature does not hold";
}

function vector(path: string, corpus: Corpus) {
  return JSON.parse(corpus.read(path).toString());
}

function decoded(base64: string): Buffer {
  return Buffer.from(base64 ?? "", "base64");
}

function hashes(proof: readonly string[] | null): Buffer[] {
  return (proof ?? []).map(decoded);
}
