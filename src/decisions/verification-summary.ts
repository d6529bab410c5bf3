import type { Verdict } from "../custody/log-store.ts";
import { algorithmOf, hexOf, parseDigest, sha256 } from "../in-toto-attestation/digest.ts";
import { canonicalJson } from "../in-toto-attestation/json.ts";
import type { Digest, JsonObject } from "../in-toto-attestation/types.ts";
import type { Decision } from "./decide.ts";

/** What a summary says besides the decision. Times in milliseconds since the epoch. */
export interface SummaryTerms {
  /** URI of who verified. */
  readonly verifierId: string;
  /** As what the artifact was verified. */
  readonly resourceUri: string;
  readonly timeVerified: number;
  /** When it ceases to count. */
  readonly validUntil: number;
  /** The log size that the decision knows of. */
  readonly logSize: number;
}

/** The build track's highest level since SLSA v1.0. A policy's level 4 is v0.1's, which includes it. */
const HIGHEST_LEVEL = 3;

/**
 * The Statement of an enforced decision that allows: a SLSA Verification Summary Attestation v1
 * (slsa.dev/spec/v1.2/verification_summary). The level is the build track's highest, which implies those below; a
 * policy that trusts no builder for a level gives level 0, which promises nothing. What SLSA has no member for
 * stands in members of our own, `vouchsafe_…`.
 */
export function summaryStatement(decision: Decision, terms: SummaryTerms): JsonObject {
  const { digest, decision: answer, enforced, grounds, slsaLevel } = decision;
  if (answer !== "allow" || !enforced) throw new TypeError("only what is allowed is summarised");
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: digestSet(digest) }],
    predicateType: "https://slsa.dev/verification_summary/v1",
    predicate: {
      verifier: { id: terms.verifierId },
      timeVerified: new Date(terms.timeVerified).toISOString(),
      resourceUri: terms.resourceUri,
      policy: policyDescriptor(terms.verifierId, grounds),
      inputAttestations: [...new Set(grounds.flatMap(({ attestations }) => attestations))]
        .sort()
        .map((id) => ({ digest: digestSet(id) })),
      verificationResult: "PASSED",
      verifiedLevels: [`SLSA_BUILD_LEVEL_${Math.min(slsaLevel, HIGHEST_LEVEL)}`],
      slsaVersion: "1.2",
      vouchsafe_validUntil: new Date(terms.validUntil).toISOString(),
      vouchsafe_logSize: terms.logSize,
    },
  };
}

/** A policy by its hash. Several that all had to pass: by the hash of their names and hashes, which stand beside it. */
function policyDescriptor(verifierId: string, grounds: readonly Verdict[]): JsonObject {
  const hashes = Object.fromEntries(grounds.map(({ policy, policyHash }) => [policy, policyHash]));
  const [one, ...others] = grounds;
  const uri = `${verifierId}/policies/${Object.keys(hashes).sort().join(",")}`;
  if (one !== undefined && others.length === 0)
    return { uri, digest: digestSet(parseDigest(one.policyHash)) };
  return { uri, digest: digestSet(sha256(canonicalJson(hashes))), annotations: hashes };
}

function digestSet(digest: Digest): JsonObject {
  return { [algorithmOf(digest)]: hexOf(digest) };
}
