import { type ErrorCode, VouchsafeError } from "../errors.ts";
import {
  type Digest,
  type SummaryDemands,
  unmetDemands,
  verificationSummaryOf,
} from "../in-toto-attestation/index.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import { type ExpectedSigner, type NamePattern, requireSigner } from "./expected-signer.ts";
import { type Findings, NOTHING_FOUND, STEPS, VerificationError } from "./findings.ts";
import { withOurErrors } from "./format-errors.ts";
import { requireSubject } from "./subject.ts";
import type { VerifiedAttestation } from "./verified-attestation.ts";
import type { VerifiedSignature } from "./verified-signature.ts";
import { interpret, verifySignatureOf, vouchFor } from "./verify-evidence.ts";

/** What evidence goes through, in this order; the last step asks whether it is about the artifact. */
export const CHECKLIST = [...STEPS, "subject"] as const;

export type ChecklistStep = (typeof CHECKLIST)[number];

/** `not-needed`: nothing is asked there of such evidence. `not-reached`: a step before it failed. */
export type Outcome = "passed" | "failed" | "not-needed" | "not-reached";

/** What is asked of evidence besides that it verifies. */
export interface Demands {
  /** Who may have signed; undefined for anybody that trust vouches for. */
  readonly signers?: readonly ExpectedSigner[];
  /** The only predicate types that count; undefined for any. */
  readonly predicateTypes?: readonly string[];
  /** Makes it a verification summary that meets these. */
  readonly summary?: SummaryDemands;
}

/** The artifact that evidence is to be about. */
export interface Artifact {
  /** All of the one artifact. */
  readonly digests: readonly Digest[];
  /**
   * What a platform calls it that knows no digest, as Statements do: `gce_image_id:8970…`. Counts for verification
   * summaries alone, whose verifier stands for the name.
   */
  readonly alias?: string;
  /** What its subject must be called besides. */
  readonly name?: NamePattern;
  /** Its bytes, where they are at hand. */
  readonly message?: Uint8Array;
}

/** How far one piece of evidence came, and what was found on the way. */
export interface Examination extends Readonly<Found> {
  readonly passed: boolean;
  readonly steps: readonly { readonly step: ChecklistStep; readonly outcome: Outcome }[];
  readonly findings: Findings;
  /** Why a step failed. */
  readonly refusal?: VouchsafeError;
}

interface Found {
  /** From the step `signature` on. */
  signature?: VerifiedSignature;
  /** From the step `statement` on; that it is what was asked for, or about the artifact, is not said by that. */
  attestation?: VerifiedAttestation;
  /** The artifact's digest, or its alias, by which the evidence names it. */
  subject?: string;
}

/** Where evidence fails that none of the core's steps names. Of any other code it is the format. */
const STEP_OF_CODE: ReadonlyMap<ErrorCode, ChecklistStep> = new Map([
  ["time-unverified", "time"],
  ["certificate-invalid", "certificate"],
  ["log-entry-invalid", "log"],
  ["unsupported-algorithm", "signature"],
  ["unknown-key", "signature"],
  ["signature-invalid", "signature"],
]);

/**
 * Takes one piece of evidence through the whole checklist. A refusal is an outcome: nothing is thrown but faults.
 *
 * @param at now, in milliseconds since the epoch
 */
export function goThrough(
  bytes: Uint8Array,
  trust: TrustSnapshot,
  artifact: Artifact,
  demands: Demands,
  at: number,
): Examination {
  const { message } = artifact;
  const found: Found = {};
  try {
    found.signature = verifySignatureOf(bytes, trust, at, message);
    if (demands.signers !== undefined) requireSigner(found.signature, demands.signers);
    const attestation = vouchFor(interpret(found.signature, bytes, trust, message), at);
    found.attestation = attestation;
    withOurErrors(() => requireStatement(attestation, demands));
    found.subject =
      namesAlias(attestation, artifact, demands) ?? requireSubject(attestation, artifact.digests);
    requireName(attestation, found.subject, artifact);
    return examined(found, demands);
  } catch (refusal) {
    if (!(refusal instanceof VouchsafeError)) throw refusal;
    return examined(found, demands, refusal);
  }
}

/** A statement that names it otherwise is about something else of the same bytes, or of another version: it is not heard at all. */
function requireName({ subjects, findings }: VerifiedAttestation, digest: string, { name }: Artifact): void {
  if (name === undefined) return;
  const names = subjects.flatMap((subject) =>
    subject.digests.some((one) => one === digest) ? (subject.name ?? []) : [],
  );
  if (names.some((one) => name.matches(one))) return;
  const found = names.length === 0 ? "a subject without a name" : names.join(", ");
  const reason = `expected a subject that is called ${name.text}; found ${found}`;
  throw new VerificationError("statement", "statement-mismatch", reason, findings);
}

function namesAlias(
  { statement }: VerifiedAttestation,
  { alias }: Artifact,
  { summary }: Demands,
): string | undefined {
  if (summary === undefined || alias === undefined) return undefined;
  const names = (statement?.subject ?? []).flatMap(({ digest }) =>
    Object.entries(digest).map(([algorithm, value]) => `${algorithm}:${value}`),
  );
  return names.find((name) => name === alias);
}

/** A piece of evidence that could not even be had. */
export function unreadable(refusal: VouchsafeError): Examination {
  return examined({}, {}, refusal);
}

function examined(found: Found, demands: Demands, refusal?: VouchsafeError): Examination {
  const { signature } = found;
  const known = refusal instanceof VerificationError ? refusal.findings : NOTHING_FOUND;
  const findings = signature?.findings ?? known;
  const end = refusal === undefined ? CHECKLIST.length : CHECKLIST.indexOf(stepOf(refusal, found));
  // Of evidence that fails before its signature is known to hold, nobody knows which steps were to be taken.
  const untaken = signature === undefined ? "not-reached" : "not-needed";
  const steps = CHECKLIST.map((step, i): Examination["steps"][number] => {
    if (i > end) return { step, outcome: "not-reached" };
    if (i === end) return { step, outcome: "failed" };
    return { step, outcome: wasTaken(step, findings, signature, demands) ? "passed" : untaken };
  });
  return { ...found, steps, findings, passed: refusal === undefined, ...(refusal && { refusal }) };
}

function stepOf(refusal: VouchsafeError, { signature }: Found): ChecklistStep {
  if (refusal.code === "subject-mismatch") return "subject";
  if (refusal instanceof VerificationError) return refusal.step;
  return signature === undefined ? (STEP_OF_CODE.get(refusal.code) ?? "format") : "statement";
}

/** Whether a step before the one that failed was one to take, and was taken. */
function wasTaken(
  step: ChecklistStep,
  findings: Findings,
  signature: VerifiedSignature | undefined,
  { signers }: Demands,
): boolean {
  switch (step) {
    case "time":
      return findings.times.length > 0;
    case "certificate":
      return findings.chain.length > 0;
    case "sct":
      return findings.scts.length > 0;
    case "log":
      return findings.logEntries.length > 0;
    case "identity":
      return signers !== undefined;
    case "statement":
      return signature?.content.case === "envelope";
    default:
      return true;
  }
}

function requireStatement({ statement, findings }: VerifiedAttestation, demands: Demands): void {
  const { predicateTypes, summary } = demands;
  const refuse = (reason: string) =>
    new VerificationError("statement", "statement-mismatch", reason, findings);
  if (predicateTypes !== undefined && !predicateTypes.includes(statement?.predicateType ?? "")) {
    const found = statement?.predicateType ?? "a signature over the artifact, and no Statement";
    throw refuse(`expected the predicate type ${predicateTypes.join(" or ")}; found ${found}`);
  }
  if (summary === undefined) return;
  const found = statement && verificationSummaryOf(statement);
  if (found === undefined) throw refuse("it is not a verification summary");
  const [unmet] = unmetDemands(found, summary);
  if (unmet !== undefined) {
    throw refuse(`${unmet.demand}: expected ${unmet.expected}; found ${unmet.actual}`);
  }
}
