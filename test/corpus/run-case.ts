import { createHash } from "node:crypto";
import { VouchsafeError } from "../../src/errors.ts";
import {
  AttestationFormatError,
  type Digest,
  digestOf,
  groundsAllow,
  isSameFileName,
} from "../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { alone } from "../../src/policy/question.ts";
import type { Check as PolicyCheck } from "../../src/policy/types.ts";
import { withOurErrors } from "../../src/verify/format-errors.ts";
import { embedLayer } from "../../src/verify/formats/oci-layer.ts";
import { unpackEvidence } from "../../src/verify/formats/unpack.ts";
import { requireSubject } from "../../src/verify/subject.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { verifyEvidence, verifySignatureOf } from "../../src/verify/verify-evidence.ts";
import { asksOnlyWho, policyOf } from "./case-policy.ts";
import { trustOf } from "./case-trust.ts";
import { checkCheckpoint, checkConsistency, checkInclusion } from "./log-case.ts";
import type { Case, Corpus } from "./manifest.ts";
import { SPIFFE_FORMATS } from "./spiffe-case.ts";
import { checkTimestamp } from "./timestamp-case.ts";
import { checkRepository } from "./tuf-case.ts";
import { checkSummary } from "./vsa-case.ts";

export interface Outcome {
  readonly verdict: "verified" | "rejected";
  /** Why it was rejected: an error's code and message, or the checks of the policy that failed. */
  readonly reason: string;
}

const STRONG = ["sha256", "sha384", "sha512"];

/** Format → runs a case of it: why it is rejected, undefined when it is not. Throws what our own code throws. */
type Check = (test: Case, corpus: Corpus, now: number) => string | undefined | Promise<string | undefined>;

const FORMATS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["sigstore-bundle-v0.1", checkEvidence],
  ["sigstore-bundle-v0.2", checkEvidence],
  ["sigstore-bundle-v0.3", checkEvidence],
  ["sigstore-bundle-malformed", checkEvidence],
  ["dsse-key", checkEvidence],
  ["dsse-with-cert", checkEvidence],
  ["dsse-without-cert", checkEvidence],
  ["dsse-x509-extension", checkEvidence],
  ["npm-attestations", checkEvidence],
  ["pypi-attestation", checkEvidence],
  ["pypi-provenance", checkEvidence],
  ["gcb-provenance", checkEvidence],
  ["oci-cosign-attestation", checkEvidence],
  ["vsa-dsse", checkSummary],
  ["rfc3161-response", checkTimestamp],
  ["checkpoint", checkCheckpoint],
  ["merkle-inclusion", checkInclusion],
  ["merkle-consistency", checkConsistency],
  ["tuf-repository", checkRepository],
  ...SPIFFE_FORMATS,
]);

export function isSupported({ format }: Case): boolean {
  return FORMATS.has(format);
}

/** Runs a case of a supported format as a verifier would whom nobody told what to expect. */
export async function runCase(test: Case, corpus: Corpus, now: number): Promise<Outcome> {
  try {
    const reason = await (FORMATS.get(test.format) ?? checkEvidence)(test, corpus, now);
    return reason === undefined ? { verdict: "verified", reason: "" } : { verdict: "rejected", reason };
  } catch (error) {
    // Any other error is a fault of ours, and must not count as a rejection.
    if (!(error instanceof VouchsafeError || error instanceof AttestationFormatError)) throw error;
    return { verdict: "rejected", reason: `${error.code}: ${error.message}` };
  }
}

/** Verifies a case's evidence, asks for its artifact and evaluates its policy, as an upload and a question would. */
function checkEvidence(test: Case, corpus: Corpus, now: number): string | undefined {
  const pieces = piecesOf(test, corpus);
  const trust = trustOf(test, corpus);
  const message = test.files.artifact === undefined ? undefined : corpus.read(test.files.artifact);
  if (test.policy === undefined && test.extra?.payload?.startsWith("not an in-toto statement")) {
    // The case is about the envelope alone: a Statement is not what it holds.
    for (const piece of pieces) verifySignatureOf(piece, trust, now);
    return undefined;
  }
  const verify = (piece: Uint8Array) => verifyEvidence(piece, trust, now, message);
  const evidence = test.format === "gcb-provenance" ? someOf(pieces, verify) : pieces.map(verify);
  const { subjectName } = test.policy ?? {};
  if (subjectName !== undefined && !evidence.every((one) => isAboutFile(one, subjectName))) {
    return `the evidence does not name ${subjectName}`;
  }
  const artifact = artifactOf(test, corpus);
  if (artifact !== undefined) for (const attestation of evidence) requireSubject(attestation, artifact);
  const policy = policyOf(test.policy);
  if (policy === undefined) return undefined;
  // Our policies also deny provenance that contradicts its certificate: those cases do not ask about provenance.
  const counts = ({ check }: PolicyCheck) => check !== "source.agreement" || !asksOnlyWho(test.policy);
  const misses = (artifact ?? subjectsOf(evidence))
    .filter(groundsAllow)
    .map((digest) =>
      evaluate(policy, alone(digest, evidence), now).checks.filter((one) => !one.passed && counts(one)),
    );
  if (misses.some((failed) => failed.length === 0)) return undefined;
  return misses
    .flat()
    .map(({ check, expected, actual }) => `${check}: expected ${expected}, got ${actual}`)
    .join("; ");
}

/** What is pushed of a case's files: each piece of evidence by itself. */
function piecesOf({ files }: Case, corpus: Corpus): Uint8Array[] {
  const file = corpus.read(files.bundle);
  if (files.envelope !== undefined) {
    return [embedLayer(JSON.parse(file.toString()).layer, corpus.read(files.envelope))];
  }
  return withOurErrors(() => unpackEvidence(file)) ?? [file];
}

/** What verifies of them; Cloud Build lists provenance of several versions, each of which says it all. */
function someOf<T>(pieces: readonly Uint8Array[], verify: (piece: Uint8Array) => T): T[] {
  const refusals: VouchsafeError[] = [];
  const verified = pieces.flatMap((piece) => {
    try {
      return [verify(piece)];
    } catch (error) {
      if (!(error instanceof VouchsafeError)) throw error;
      refusals.push(error);
      return [];
    }
  });
  if (verified.length === 0 && refusals[0] !== undefined) throw refusals[0];
  return verified;
}

function isAboutFile({ subjects }: VerifiedAttestation, fileName: string): boolean {
  return subjects.some(({ name }) => name !== undefined && isSameFileName(name, fileName));
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
