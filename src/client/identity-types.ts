import type { Receipt } from "./types.ts";

/** What the API answers about identities; spelt as in `types.ts`. */

/** What an agent is given when it joins, and when it renews. */
export interface AgentCredential {
  /** The agent's SPIFFE ID. */
  readonly spiffeId: string;
  /** Hex. */
  readonly serial: string;
  /** Base64 DER, the SVID first, without the root. */
  readonly chain: readonly string[];
  readonly expiresAt: string;
  readonly bundle: X509Bundle;
  readonly receipt: Receipt;
}

export interface X509Bundle {
  /** The trust domain's roots, base64 DER. */
  readonly x509Authorities: readonly string[];
}

/** Who runs: what was attested of it. */
export interface AttestedSubject {
  readonly selectors: readonly string[];
  /** Digests of what it runs, by component, e.g. `executable` or `image`. */
  readonly components: Readonly<Record<string, readonly string[]>>;
  /** Why components that could be expected are not there, e.g. `interpreter` for `executable`. */
  readonly absent?: Readonly<Record<string, string>>;
}

export interface X509SvidRequest extends AttestedSubject {
  /** PKCS#10, base64 DER: only its key is taken. */
  readonly csr: string;
  /** Serial numbers, in hex, of the SVIDs that the new ones take the place of; at most 256. */
  readonly renews?: readonly string[];
}

export interface X509Svid {
  /** The workload policy that it was granted by. */
  readonly workload: string;
  readonly spiffeId: string;
  /** Hex. */
  readonly serial: string;
  /** Base64 DER, the SVID first, without the root. */
  readonly chain: readonly string[];
  readonly expiresAt: string;
  readonly receipt: Receipt;
}

export interface X509Svids {
  readonly svids: readonly X509Svid[];
  readonly bundle: X509Bundle;
}

export interface JwtSvidRequest extends AttestedSubject {
  readonly audiences: readonly string[];
  /** Only this one, where the workload has several. */
  readonly spiffeId?: string;
}

export interface JwtSvid {
  readonly workload: string;
  readonly spiffeId: string;
  /** JWS compact serialization. */
  readonly token: string;
  readonly expiresAt: string;
  readonly receipt: Receipt;
}

export interface JwtSvids {
  readonly svids: readonly JwtSvid[];
}

/** An SVID that was granted. */
export interface Identity {
  readonly kind: "x509" | "jwt";
  /** Serial number in hex, or the JWT's `jti`. */
  readonly serial: string;
  readonly spiffeId: string;
  readonly workload: string;
  readonly digests: readonly string[];
  readonly policies: readonly string[];
  readonly requester: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  /** The event that recorded it. */
  readonly index: number;
  /** The event that revoked it, if one did. */
  readonly revokedIndex: number | null;
}

/** A trust domain that is federated with. */
export interface FederatedWith {
  readonly trustDomain: string;
  /** Where its bundle is fetched, if it is. */
  readonly endpoint: { readonly url: string; readonly profile: "https_web" | "https_spiffe" } | null;
  /** A SPIFFE bundle document; null while none is known. */
  readonly bundle: unknown;
  readonly fetchedAt: string | null;
  /** Why the last attempt to fetch it was for nothing. */
  readonly problem: string | null;
}

export interface IdentityChange {
  /** The log size up to which it was looked. */
  readonly asOf: number;
  /** Digests of the agent's live identities that events were about; `*` where one concerns all. */
  readonly touched: readonly string[];
}

/** A workload policy that asks for files. */
export interface Registration {
  readonly workload: string;
  /** Patterns, each of which must match one of a workload's selectors. */
  readonly selectors: readonly string[];
  /** By component: absolute paths, as the workload sees them, whose last segment may be a glob. */
  readonly files: Readonly<Record<string, readonly string[]>>;
}
