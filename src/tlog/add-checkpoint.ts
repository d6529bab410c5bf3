import { VouchsafeError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { HASH_BYTES } from "./hash.ts";
import type { Proof } from "./proofs.ts";
import { isTreeSize } from "./subtrees.ts";

/** What a log submits to a witness: the body of `add-checkpoint` (c2sp.org/tlog-witness). */
export interface Submission {
  /** Size of the tree that the witness cosigned last, as the log believes. */
  readonly old: number;
  /** From `old` to the checkpoint's size. */
  readonly proof: Proof;
  /** The checkpoint, as a signed note. */
  readonly note: string;
}

/** Of a 409: the size that the witness cosigned last follows. */
export const SIZE_MEDIA_TYPE = "text/x.tlog.size";

const MAX_PROOF = 63;

export function formatSubmission({ old, proof, note }: Submission): string {
  return `old ${old}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join("")}\n${note}`;
}

/** Takes a submission apart without believing it; the note is not looked into. Throws `invalid-request`. */
export function parseSubmission(text: string): Submission {
  const end = text.indexOf("\n\n");
  refuseUnless(end >= 0, "A submission has a blank line before its checkpoint");
  const [first = "", ...hashes] = text.slice(0, end).split("\n", MAX_PROOF + 2);
  refuseUnless(first.startsWith("old "), "A submission begins with the old size");
  refuseUnless(hashes.length <= MAX_PROOF, `A consistency proof has at most ${MAX_PROOF} lines`);
  const old = parseSize(first.slice("old ".length));
  refuseUnless(old !== undefined, "The old size is not a plain number below 2^53");
  const proof = hashes.map((line) => {
    const hash = decodeBase64(line);
    refuseUnless(hash?.length === HASH_BYTES, "A line of the consistency proof is not base64 of 32 bytes");
    return hash;
  });
  return { old, proof, note: text.slice(end + 2) };
}

/** A tree size in decimal, without leading zeros and below 2^53; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const size = Number(text);
  return /^[0-9]{1,16}$/.test(text) && String(size) === text && isTreeSize(size) ? size : undefined;
}

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new VouchsafeError("invalid-request", message);
}
