import { createHash } from "node:crypto";
import { VouchsafeError } from "../../src/errors.ts";
import { type Digest, digestOf, groundsAllow } from "../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import type { Check } from "../../src/policy/types.ts";
import { verifyNpmAttestations } from "../../src/verify/npm-attestations.ts";
import { requireSubject } from "../../src/verify/subject.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { verifyEvidence, verifySignatureOf } from "../../src/verify/verify-evidence.ts";
import { asksOnlyWho, policyOf } from "./case-policy.ts";
import { trustOf } from "./case-trust.ts";
import type { Case, Corpus } from "./manifest.ts";
import { SPIFFE_FORMATS } from "./spiffe-case.ts";

export interface Outcome {
  readonly verdict: "verified" | "rejected";
  /** Why it was rejected: an error's code and message, or the checks of the policy that failed. */
  readonly reason: string;
}

const STRONG = ["sha256", "sha384", "sha512"];

/** Formats whose cases run. */
const FORMATS: ReadonlySet<string> = new Set([
  "sigstore-bundle-v0.1",
  "sigstore-bundle-v0.2",
  "sigstore-bundle-v0.3",
  "sigstore-bundle-malformed",
  "npm-attestations",
  "dsse-key",
  ...SPIFFE_FORMATS.keys(),
]);

export function isSupported({ format }: Case): boolean {
  return FORMATS.has(format);
}

/**
 * Verifies a case's evidence, asks for its artifact and evaluates its policy, as an upload and a question would;
 * or reads a SPIFFE document, as a peer would.
 */
export function runCase(test: Case, corpus: Corpus, now: number): Outcome {
  try {
    const reason = (SPIFFE_FORMATS.get(test.format) ?? check)(test, corpus, now);
    return reason === undefined ? { verdict: "verified", reason: "" } : { verdict: "rejected", reason };
  } catch (error) {
    // Any other error is a fault of ours, and must not count as a rejection.
    if (!(error instanceof VouchsafeError)) throw error;
    return { verdict: "rejected", reason: `${error.code}: ${error.message}` };
  }
}

function check(test: Case, corpus: Corpus, now: number): string | undefined {
  const bytes = corpus.read(test.files.bundle);
  const trust = trustOf(test, corpus);
  const policy = policyOf(test.policy);
  if (policy === undefined && test.extra?.payload?.startsWith("not an in-toto statement")) {
    // The case is about the envelope alone: a Statement is not what it holds.
    verifySignatureOf(bytes, trust, now);
    return undefined;
  }
  const evidence =
    test.format === "npm-attestations"
      ? verifyNpmAttestations(bytes, trust, now)
      : [verifyEvidence(bytes, trust, now)];
  const artifact = artifactOf(test, corpus);
  if (artifact !== undefined) for (const attestation of evidence) requireSubject(attestation, artifact);
  if (policy === undefined) return undefined;
  // Our policies also deny provenance that contradicts its certificate: those cases do not ask about provenance.
  const counts = ({ check }: Check) => check !== "source.agreement" || !asksOnlyWho(test.policy);
  const misses = (artifact ?? subjectsOf(evidence))
    .filter(groundsAllow)
    .map((digest) =>
      evaluate(policy, digest, evidence, now).checks.filter((one) => !one.passed && counts(one)),
    );
  if (misses.some((failed) => failed.length === 0)) return undefined;
  return misses
    .flat()
    .map(({ check, expected, actual }) => `${check}: expected ${expected}, got ${actual}`)
    .join("; ");
}

/** The digests of the artifact that the case is about; undefined when it is about none. */
function artifactOf({ artifactDigest, files }: Case, corpus: Corpus): Digest[] | undefined {
  if (files.artifact !== undefined) {
    const bytes = corpus.read(files.artifact);
    return STRONG.map((name) => digestOf(name, createHash(name).update(bytes).digest("hex")));
  }
  if (artifactDigest === undefined) return undefined;
  return Object.entries(artifactDigest).map(([algorithm, hex]) => digestOf(algorithm, hex));
}

function subjectsOf(evidence: readonly VerifiedAttestation[]): Digest[] {
  return evidence.flatMap(({ subjects }) => subjects.flatMap(({ digests }) => digests));
}
