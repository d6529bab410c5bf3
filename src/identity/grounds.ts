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
  /** The log index of the event that recorded this very SVID; absent in those of before it was said. */
  readonly index?: number;
}

/** Most members of each list. */
export const MAX_GROUNDS = 64;

const MEMBERS: ReadonlySet<string> = new Set(["digests", "policies", "verdicts", "index"]);

/** The grounds as a JWT-SVID's claim. */
export function groundsClaim({ digests, policies, verdicts, index }: Grounds): JsonObject {
  return { digests, policies, verdicts, ...(index !== undefined && { index }) };
}

/** Reads only what `groundsClaim` writes; an absent claim is undefined. */
export function readGroundsClaim(claim: JsonValue | undefined): Grounds | undefined | "malformed" {
  if (claim === undefined) return undefined;
  if (!isJsonObject(claim) || !Object.keys(claim).every((name) => MEMBERS.has(name))) return "malformed";
  const digests = list(claim.digests, digestOf);
  const policies = list(claim.policies, (value) => (typeof value === "string" ? value : undefined));
  const verdicts = list(claim.verdicts, indexOf);
  if (digests === undefined || policies === undefined || verdicts === undefined) return "malformed";
  if (claim.index === undefined) return { digests, policies, verdicts };
  const index = indexOf(claim.index);
  return index === undefined ? "malformed" : { digests, policies, verdicts, index };
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
