import type { CustodySummary } from "../custody/summary/custody-summary.ts";

/** An event of an artifact's custody; the last three members are left out where no proofs are asked for. */
export interface CustodyEvent {
  readonly index: number;
  readonly type: string;
  readonly time: string;
  readonly about: readonly string[];
  readonly previous: readonly (number | null)[];
  /** The chain that it comes from where that is not the artifact's: another artifact's, or `*`. */
  readonly chain?: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly salt?: string;
  readonly leaf?: string;
  readonly inclusionProof?: readonly string[];
}

export interface CustodyPage {
  readonly artifact: string;
  readonly origin: string;
  readonly treeSize: number;
  /** As of when that is. */
  readonly time: string;
  /** Of `treeSize`; an older tree is signed anew. */
  readonly checkpoint: string;
  /** On the first page: what all of it comes to. */
  readonly summary: CustodySummary | null;
  readonly events: readonly CustodyEvent[];
  readonly next: string | null;
}

export interface CustodyQuery {
  /** Only events of these types. */
  readonly types?: readonly string[];
  /** A log size in digits, or a time. */
  readonly asOf?: string;
  /** Leaves and proofs too; true unless said. */
  readonly proofs?: boolean;
  /** What its verdicts rest on of other artifacts, and what touched it of the project; true unless said. */
  readonly related?: boolean;
  /** The first page with the summary of all; true unless said. */
  readonly summary?: boolean;
  /** 1 to 200. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}
