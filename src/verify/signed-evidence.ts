import type { SignedBytes } from "./signed.ts";

// Evidence of any format, taken apart by that format's reader. Its shape was checked; nothing of it is believed.

export interface SignedEvidence {
  readonly mediaType: string;
  readonly content: Content;
  /** Never empty. One good signature is enough, whatever stands beside it. */
  readonly signatures: readonly EvidenceSignature[];
}

export type Content =
  | {
      readonly case: "envelope";
      readonly payloadType: string;
      readonly payload: SignedBytes;
      /** Lower-case hex: sha256 of the envelope's JSON as it was logged, where its very bytes are at hand. */
      readonly documentHash?: string;
    }
  | {
      readonly case: "message";
      /** Absent where the bundle leaves it to the verifier to know the artifact. */
      readonly digest?: { readonly algorithm: string; readonly bytes: Uint8Array };
    };

/** A signature over the content, and what came with it. */
export interface EvidenceSignature {
  readonly signature: Uint8Array;
  readonly signer: ClaimedSigner;
  readonly logEntries: readonly LogEntry[];
  /** RFC 3161 TimeStampResp, DER, each over the signature. */
  readonly timestamps: readonly Uint8Array[];
}

export type ClaimedSigner =
  | {
      readonly case: "certificate";
      /** DER. */
      readonly leaf: Uint8Array;
      /** DER. They only help to build the chain: none is believed for being here. */
      readonly intermediates: readonly Uint8Array[];
    }
  | {
      readonly case: "key";
      /** What the evidence calls its key. Nothing signs it: it only says where to look first. */
      readonly hint?: string;
    };

/** A transparency log's entry about the signature. */
export interface LogEntry {
  readonly logIndex: number;
  /** Lower-case hex. */
  readonly logId: string;
  /** Kind and version, e.g. `hashedrekord 0.0.1`. */
  readonly kind: string;
  /** Seconds since the epoch; absent where the log gives none (Rekor v2). */
  readonly integratedTime?: number;
  /** The entry as it was hashed into the log. */
  readonly body: Uint8Array;
  /** The log's promise to include it, which is what makes the integrated time trusted. */
  readonly signedEntryTimestamp?: Uint8Array;
  readonly proof?: InclusionProof;
}

export interface InclusionProof {
  /** Index in the tree, which a log made of several trees counts apart from `logIndex`. */
  readonly leafIndex: number;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  readonly hashes: readonly Uint8Array[];
  /** Signed note. */
  readonly checkpoint: string;
}
