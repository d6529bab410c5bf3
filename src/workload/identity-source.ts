import type { TrustBundle } from "../identity/trust-bundle.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { AttestedWorkload } from "./attested-workload.ts";
import type { Registration } from "./registrations.ts";

/** One X.509-SVID as it was granted. The key is with whoever made the CSR. */
export interface X509Grant {
  readonly spiffeId: string;
  /** The SVID's serial number, hex. */
  readonly serial: string;
  /** DER, the SVID first, without the root. */
  readonly chain: readonly Uint8Array[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface X509Grants {
  /** At least one. All are of the CSR's key. */
  readonly svids: readonly X509Grant[];
  /** The trust domain's roots, DER. */
  readonly authorities: readonly Uint8Array[];
}

export interface JwtGrant {
  readonly spiffeId: string;
  /** JWS compact serialization. */
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What may have changed for this agent's workloads. */
export interface Change {
  /** The log size up to which it was looked. */
  readonly asOf: number;
  /** The digests that events were about; `all` where something concerns every digest, e.g. a policy. */
  readonly touched: readonly Digest[] | "all";
}

/**
 * Where the agent gets identities from: a server, which decides and records each grant before it answers.
 * Each method throws `VouchsafeError`: `identity-denied` (extensions: `reasons`) where the answer is no, and
 * any other code where there is no answer now.
 */
export interface IdentitySource {
  /** @param csr PKCS#10, DER; @param renews serials of the SVIDs that the new ones take the place of */
  fetchX509(workload: AttestedWorkload, csr: Uint8Array, renews: readonly string[]): Promise<X509Grants>;
  /** All that the workload is entitled to, or the one named; at least one. */
  fetchJwt(
    workload: AttestedWorkload,
    audiences: readonly string[],
    spiffeId?: string,
  ): Promise<readonly JwtGrant[]>;
  /** The trust domain's bundle as it is now. */
  bundle(): Promise<TrustBundle>;
  /** The bundles of all other trust domains that workloads of this agent may believe; never of its own. */
  federation(): Promise<readonly TrustBundle[]>;
  /** The names of the other trust domains that this workload may believe, whatever it runs. */
  federatesWith(workload: AttestedWorkload): Promise<readonly string[]>;
  /** The workload policies under which this agent may ask and that ask for files. */
  registrations(): Promise<readonly Registration[]>;
  /**
   * Answers once something may have changed since the log had `after` events (undefined: how large it is now,
   * at once), or after half a minute with nothing. It must not leave out an event that was committed before
   * its `asOf`.
   */
  watch(after: number | undefined, signal: AbortSignal): Promise<Change>;
}
