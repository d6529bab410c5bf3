import type { Receipt } from "./types.ts";

// What the API takes and answers about revocations of evidence (`types.ts`). Times are RFC 3339.

interface Window {
  /** Signed then or later. */
  readonly from?: string;
  /** Signed before. Not of a key. */
  readonly until?: string;
}

/** `keyId`, in answers: the key's id in the trust snapshot that was in force. */
export type NamedSigner =
  | { readonly issuer: string; readonly identity: string }
  | { readonly key: string; readonly keyId?: string };

/** Exact values. */
export type RevocationTarget =
  /** `payload`, in answers: the digest of what was signed. */
  | { readonly attestation: string; readonly payload?: string }
  | ({ readonly signer: NamedSigner } & Window)
  | ({ readonly builder: string } & Window)
  | { readonly repository: string }
  | { readonly artifact: string };

export interface Revocation {
  readonly id: string;
  readonly target: RevocationTarget;
  readonly reason: string;
  readonly index: number;
  /** The event that took it back, or null while it stands. */
  readonly withdrawnIndex: number | null;
}

/** What falls with evidence: up to 1,000 of each kind by name, and how many there are. */
export interface Falls {
  readonly artifacts: readonly { readonly digest: string; readonly policies: readonly string[] }[];
  readonly identities: readonly {
    readonly kind: "x509" | "jwt";
    readonly serial: string;
    readonly spiffeId: string;
    readonly requester: string;
    readonly expiresAt: string;
  }[];
  readonly workloads: readonly {
    readonly spiffeId: string;
    readonly workload: string;
    readonly requester: string;
    readonly digests: readonly string[];
  }[];
  /** Artifacts that pass only now: the evidence spoke against them. */
  readonly gains: readonly { readonly digest: string; readonly policies: readonly string[] }[];
  readonly totals: {
    readonly artifacts: number;
    readonly identities: number;
    readonly workloads: number;
    readonly gains: number;
  };
  readonly truncated: boolean;
  /** False where there was no time to judge every artifact: there are more than the totals. */
  readonly complete: boolean;
}

export interface RevocationPreview {
  readonly target: RevocationTarget;
  readonly falls: Falls;
}

/** `falls` is null where it could not be found out: the evidence is revoked all the same. */
export interface Revoked extends Revocation {
  readonly receipt: Receipt;
  readonly falls: Falls | null;
}

/** An identity that was revoked and has not expired. */
export interface RevokedIdentity {
  readonly kind: "x509" | "jwt";
  /** Serial number in hex, or the JWT's `jti`. */
  readonly serial: string;
  readonly spiffeId: string;
  readonly workload: string;
  readonly requester: string;
  readonly digests: readonly string[];
  /** Codes of denials. */
  readonly reasons: readonly string[];
  /** The newest event that touched what it rested on; null where time alone ended that. */
  readonly cause: number | null;
  readonly revokedAt: string;
  readonly expiresAt: string;
  readonly index: number;
}
