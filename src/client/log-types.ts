/** Hashes are base64, in the order of RFC 6962. */
export interface InclusionProof {
  readonly index: number;
  readonly treeSize: number;
  readonly inclusionProof: readonly string[];
  /** Of `treeSize`, a C2SP signed note; null where that is not the newest size. */
  readonly checkpoint: string | null;
}

export interface ConsistencyProof {
  readonly from: number;
  readonly to: number;
  readonly consistencyProof: readonly string[];
  /** Of the size `to`; null where that is not the newest. */
  readonly checkpoint: string | null;
}
