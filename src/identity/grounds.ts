import type { Digest } from "../in-toto-attestation/index.ts";

/** What an SVID was granted for. Written into it, so that whoever it is shown to can ask for more. */
export interface Grounds {
  /** Digests of the running artifact, each of which was allowed. */
  readonly digests: readonly Digest[];
  /** Names of the verification policies that each of them passed. */
  readonly policies: readonly string[];
  /** Indexes in the custody log of the verdicts that it rests on. */
  readonly verdicts: readonly number[];
}

/** Most members of each list. */
export const MAX_GROUNDS = 64;
