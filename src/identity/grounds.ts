import {
  AttestationFormatError,
  type Digest,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseDigest,
} from "../in-toto-attestation/index.ts";

/** What an SVID was granted for. Written into it, so that whoever it is shown to can ask for more. */
export interface Grounds {
  /** Digests of the running artifact, each of which was allowed. */
  readonly digests: readonly Digest[];
  /** Names of the verification policies that each of them passed; where an exception stood in for one it is not there. */
  readonly policies: readonly string[];
  /** Indexes in the custody log of the verdicts that it rests on. */
  readonly verdicts: readonly number[];
}

/** Most members of each list. */
export const MAX_GROUNDS = 64;

/** The grounds as a JWT-SVID's claim. */
export function groundsClaim({ digests, policies, verdicts }: Grounds): JsonObject {
  return { digests, policies, verdicts };
}

/** Reads only what `groundsClaim` writes; an absent claim is undefined. */
export function readGroundsClaim(claim: JsonValue | undefined): Grounds | undefined | "malformed" {
  if (claim === undefined) return undefined;
  if (!isJsonObject(claim) || Object.keys(claim).length !== 3) return "malformed";
  const digests = list(claim.digests, digestOf);
  const policies = list(claim.policies, (value) => (typeof value === "string" ? value : undefined));
  const verdicts = list(claim.verdicts, indexOf);
  if (digests === undefined || policies === undefined || verdicts === undefined) return "malformed";
  return { digests, policies, verdicts };
}

function list<T>(value: JsonValue | undefined, read: (value: JsonValue) => T | undefined): T[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_GROUNDS) return undefined;
  const members = value.map(read);
  return members.every((member) => member !== undefined) ? members : undefined;
}

function digestOf(value: JsonValue): Digest | undefined {
  try {
    return typeof value === "string" ? parseDigest(value) : undefined;
  } catch (error) {
    if (error instanceof AttestationFormatError) return undefined;
    throw error;
  }
}

function indexOf(value: JsonValue): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
