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

/** An event of the project. Salt and leaf are base64. */
export interface LoggedEvent {
  readonly index: number;
  readonly type: string;
  readonly time: string;
  readonly about: readonly string[];
  readonly previous: readonly (number | null)[];
  readonly salt: string;
  readonly leaf: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Where it was asked for. */
  readonly inclusionProof?: readonly string[];
}

/** A page of the project's events, which with the other pages are all that it has below `treeSize`. */
export interface EventPage {
  /** The opaque id that the project's entries in the log bear. */
  readonly project: string;
  readonly origin: string;
  readonly treeSize: number;
  /** Of `treeSize`, a C2SP signed note. */
  readonly checkpoint: string;
  readonly events: readonly LoggedEvent[];
  readonly next: string | null;
}

/** Who cosigns the log. Times are RFC 3339. */
export interface LogWitnesses {
  readonly treeSize: number;
  /** Of the newest checkpoint that the quorum has cosigned. */
  readonly witnessedSize: number | null;
  readonly witnesses: readonly {
    readonly name: string;
    readonly verifierKey: string;
    readonly size: number;
    readonly cosignedAt: string | null;
    readonly trouble: { readonly at: string; readonly what: string } | null;
    readonly contradiction: string | null;
  }[];
}
