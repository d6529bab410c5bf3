import type { ChecklistStep, Outcome } from "../../verify/checklist.ts";
import type { Signer, Subject } from "../../verify/verified-attestation.ts";
import type { ExaminedPiece, PolicyVerdict, Verdict } from "./offline.ts";

/** A verdict as `vouchsafe verify --json` prints it (docs/evidence.md). Times are RFC 3339. */
export interface VerifyReport extends PieceReport {
  readonly verified: boolean;
  readonly artifact: {
    readonly digests: readonly string[];
    readonly alias?: string;
    readonly file?: string;
    readonly reference?: string;
  };
  /** Hash of the trust document that it was verified under. */
  readonly trust: string;
  /** The other pieces of evidence. */
  readonly others: readonly PieceReport[];
}

/** One piece of evidence. */
export interface PieceReport {
  readonly evidence: { readonly file: string; readonly item?: number; readonly id: string };
  readonly steps: readonly StepReport[];
  readonly signer?: Signer;
  readonly subjects?: readonly Subject[];
  readonly error?: { readonly code: string; readonly step: Step; readonly message: string };
}

export type Step = ChecklistStep | "policy";

export interface StepReport {
  readonly step: Step;
  readonly outcome: Outcome;
  /** Absent where the step was not taken, or has nothing to tell besides. */
  readonly found?: unknown;
}

export function reportOf(verdict: Verdict): VerifyReport {
  const { verified, artifact, trust, deciding, others, policy, asksPolicy } = verdict;
  const piece = reportPiece(deciding);
  return {
    verified,
    artifact: {
      digests: artifact.digests,
      ...(artifact.alias !== undefined && { alias: artifact.alias }),
      ...(artifact.path !== undefined && { file: artifact.path }),
      ...(artifact.reference !== undefined && { reference: artifact.reference }),
    },
    trust: trust.hash,
    ...piece,
    steps: asksPolicy ? [...piece.steps, policyStep(policy)] : piece.steps,
    ...(policy?.evaluation.outcome === "failed" && {
      // The code that a decision gives for it as a reason.
      error: { code: "verdict-failed", step: "policy", message: `Policy ${policy.policy.name} failed` },
    }),
    others: others.map(reportPiece),
  };
}

function reportPiece(piece: ExaminedPiece): PieceReport {
  const { file, item, id, steps, refusal, signature, attestation } = piece;
  const failed = failedStep(piece);
  return {
    evidence: { file, ...(item !== undefined && { item }), id },
    steps: steps.map(({ step, outcome }) => {
      const found = outcome === "passed" ? FOUND[step](piece) : undefined;
      return { step, outcome, ...(found !== undefined && { found }) };
    }),
    ...(signature && { signer: signature.signer }),
    ...(attestation && { subjects: attestation.subjects }),
    ...(refusal && failed && { error: { code: refusal.code, step: failed, message: refusal.message } }),
  };
}

export function failedStep({ steps }: ExaminedPiece): ChecklistStep | undefined {
  return steps.find(({ outcome }) => outcome === "failed")?.step;
}

/** What each step found, as data; undefined where the report says it elsewhere. */
const FOUND: Readonly<Record<ChecklistStep, (piece: ExaminedPiece) => unknown>> = {
  format: ({ signature }) => signature && { mediaType: signature.mediaType, content: signature.content.case },
  time: ({ findings }) =>
    findings.times.map(({ source, name, time }) => ({ source, name, time: rfc3339(time) })),
  certificate: ({ findings }) => ({ chain: findings.chain }),
  sct: ({ findings }) => findings.scts.map(({ log, time }) => ({ log, time: rfc3339(time) })),
  log: ({ findings }) =>
    findings.logEntries.map(({ log, logIndex, kind, proven }) => ({ log, logIndex, kind, proven })),
  signature: () => undefined,
  identity: () => undefined,
  statement: ({ attestation }) =>
    attestation?.statement && { predicateType: attestation.statement.predicateType },
  subject: ({ subject, isAboutHolder }) => ({ digest: subject, ...(isAboutHolder && { holds: true }) }),
};

function policyStep(verdict: PolicyVerdict | undefined): StepReport {
  if (verdict === undefined) return { step: "policy", outcome: "not-reached" };
  const { policy, evaluation } = verdict;
  const { outcome, slsaLevel, checks, validUntil } = evaluation;
  return {
    step: "policy",
    outcome,
    found: {
      policy: policy.name,
      hash: policy.hash,
      slsaLevel,
      checks,
      ...(validUntil !== undefined && { validUntil: rfc3339(validUntil) }),
    },
  };
}

/** Milliseconds since the epoch → RFC 3339, without a fraction that says nothing. */
export function rfc3339(time: number): string {
  return new Date(time).toISOString().replace(".000Z", "Z");
}
