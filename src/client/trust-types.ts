import type { Receipt } from "./types.ts";

/** What the API answers about trust; spelt as in `types.ts`. */

export interface ActiveTrust {
  readonly trust: string | null;
  readonly document: unknown;
  readonly summary: TrustSummary | null;
  /** What the TUF repositories of its instances last answered this node. */
  readonly sources: readonly TrustSource[];
}

/** When something may be believed: RFC 3339, inclusive; null for no bound. */
export interface Validity {
  readonly from: string | null;
  readonly until: string | null;
}

export interface TrustSummary {
  readonly sigstore: readonly {
    readonly name: string;
    readonly certificateAuthorities: readonly TrustedAuthority[];
    readonly timestampAuthorities: readonly TrustedAuthority[];
    readonly logs: readonly TrustedAuthority[];
    readonly ctLogs: readonly TrustedAuthority[];
    readonly thresholds: Readonly<Record<string, number>>;
    /** URL of the TUF repository that its newer trusted roots come from. */
    readonly repository: string | null;
  }[];
  readonly x509: readonly {
    readonly name: string;
    readonly authorities: readonly TrustedAuthority[];
    readonly uses: readonly string[];
    readonly thresholds: Readonly<Record<string, number>>;
  }[];
  readonly keys: readonly ({
    readonly name: string;
    readonly keyId: string;
    readonly predicateTypes: readonly string[] | null;
    readonly thresholds: Readonly<Record<string, number>>;
  } & Validity)[];
}

/** A log may have an id alone. */
export type TrustedAuthority = { readonly name: string | null; readonly logId?: string } & Validity;

export interface TrustSource {
  readonly name: string;
  readonly repository: string;
  /** Null: neither network nor cache vouched for a trusted root. */
  readonly from: "network" | "cache" | null;
  readonly refreshedAt: string;
  readonly expires: string | null;
  readonly problem: string | null;
}

export interface RefreshedTrust {
  readonly active: string | null;
  readonly sources: readonly TrustSource[];
  /** Null where the repositories publish what is active. */
  readonly proposal: {
    readonly document: unknown;
    readonly trust: string;
    readonly extendsActive: boolean;
  } | null;
}

export interface TrustActivated {
  readonly trust: string;
  /** Whether it only added to what was active. */
  readonly extendsPrevious: boolean;
  readonly receipt: Receipt | null;
}
