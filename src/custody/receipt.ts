import { VouchsafeError } from "../errors.ts";
import { isJsonObject, type JsonValue } from "../in-toto-attestation/index.ts";
import { decodeBase64, encodeBase64 } from "../tlog/base64.ts";
import type { Checkpoint } from "../tlog/checkpoint.ts";
import { leafHash } from "../tlog/hash.ts";
import { type OpenedCheckpoint, openLogCheckpoint, parseLogKeys } from "../tlog/log-keys.ts";
import { type Proof, verifyInclusion } from "../tlog/proofs.ts";
import { isTreeSize } from "../tlog/subtrees.ts";

/** Shows that an event is in the log, to whoever knows the log's verifier key. */
export interface Receipt {
  readonly index: number;
  /** Size of the tree that the proof and the checkpoint are of. */
  readonly treeSize: number;
  /** Sibling hashes in base64, lowest first (RFC 6962, 2.1.1). */
  readonly inclusionProof: readonly string[];
  /** The log's C2SP checkpoint of that size, a signed note. */
  readonly checkpoint: string;
  /** False when the database does not write through to the disk (the embedded evaluation database). */
  readonly durable: boolean;
  /** Whether the quorum of the log's witnesses has cosigned the checkpoint, which takes a moment after a write. */
  readonly witnessed: boolean;
}

/** What a receipt shows, whoever gave it: the answer to a question for a proof shows it too. */
export type ProvenEntry = Omit<Receipt, "durable" | "witnessed">;

/**
 * The receipt for one event of a batch.
 *
 * @param encode hashes as base64; a batch's proofs share most of them: see `remembering`
 */
export function createReceipt(
  event: {
    readonly index: number;
    readonly treeSize: number;
    readonly proof: Proof;
    readonly checkpoint: string;
    readonly durable: boolean;
    readonly witnessed: boolean;
  },
  encode: (hash: Uint8Array) => string = encodeBase64,
): Receipt {
  const { index, treeSize, proof, checkpoint, durable, witnessed } = event;
  return { index, treeSize, inclusionProof: proof.map(encode), checkpoint, durable, witnessed };
}

/** `encodeBase64` that makes each hash's text once, so that receipts share it. */
export function remembering(): (hash: Uint8Array) => string {
  const texts = new Map<Uint8Array, string>();
  return (hash) => {
    const known = texts.get(hash);
    if (known !== undefined) return known;
    const text = encodeBase64(hash);
    texts.set(hash, text);
    return text;
  };
}

/**
 * Checks that the receipt proves the leaf to be in the log of these verifier keys (`name+hash+base64`, one a line,
 * known from elsewhere), and gives back the checkpoint that says so. Throws `malformed-checkpoint`, `proof-invalid`
 * or, for a verifier key that is none, `invalid-request`.
 */
export function verifyReceipt(
  leaf: Uint8Array,
  receipt: ProvenEntry,
  verifierKeys: string,
): OpenedCheckpoint {
  const checkpoint = openLogCheckpoint(receipt.checkpoint, parseLogKeys(verifierKeys));
  verifyUnder(checkpoint, leaf, receipt);
  return checkpoint;
}

/** The same for a receipt of which the checkpoint was opened already: many may have it. Throws `proof-invalid`. */
export function verifyUnder(checkpoint: Checkpoint, leaf: Uint8Array, receipt: ProvenEntry): void {
  if (checkpoint.size !== receipt.treeSize) {
    throw new VouchsafeError("proof-invalid", "The receipt's tree size is not that of its checkpoint.");
  }
  verifyInclusion(leafHash(leaf), receipt.index, checkpoint, decodeProof(receipt.inclusionProof));
}

/** Throws `proof-invalid`. */
export function decodeProof(hashes: readonly string[]): Proof {
  return hashes.map((text) => {
    const bytes = decodeBase64(text);
    if (bytes === undefined) throw new VouchsafeError("proof-invalid", "A hash of the proof is not base64.");
    return bytes;
  });
}

/**
 * Every receipt in an answer to a write, in a list of receipts, or in what a command printed of either; what stands beside them is
 * passed over. Throws `invalid-request` for one that is malformed.
 */
export function receiptsIn(value: JsonValue): ProvenEntry[] {
  if (Array.isArray(value)) return value.flatMap(receiptsIn);
  if (!isJsonObject(value)) return [];
  if (value.inclusionProof === undefined)
    return Object.values(value).flatMap((one) => receiptsIn(one ?? null));
  const { index, treeSize, inclusionProof, checkpoint } = value;
  if (isTreeSize(index) && isTreeSize(treeSize) && isTexts(inclusionProof) && typeof checkpoint === "string")
    return [{ index, treeSize, inclusionProof, checkpoint }];
  throw new VouchsafeError(
    "invalid-request",
    "A receipt has an index, a tree size, the hashes of its proof and a checkpoint, and one here does not",
  );
}

function isTexts(value: JsonValue): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
