import type { Digest } from "../in-toto-attestation/types.ts";

/** A process at the other end of the socket, as the kernel and `/proc` describe it now. */
export interface AttestedWorkload {
  readonly pid: number;
  /** What a WorkloadPolicy matches, e.g. `unix:uid:1000`, `unix:path:/usr/bin/widget`; sorted. */
  readonly selectors: readonly string[];
  /** What runs: the sha256 of its executable. */
  readonly digests: readonly Digest[];
}
