import { VouchsafeError } from "../../errors.ts";
import { AttestationFormatError, type Digest } from "../../in-toto-attestation/index.ts";
import type { EventType } from "../events.ts";

/** What a custody file, or a receipt, was checked for. */
export type PackCheckName =
  | "checkpoint"
  | "consistency"
  | "inclusion"
  | "body"
  | "order"
  | "chain"
  | "activation"
  | "evidence"
  | "containment"
  | "verdict"
  | "quarantine"
  | "revocation"
  | "approval"
  | "exception"
  | "identity"
  | "decision"
  | "retention"
  | "expiry"
  | "contents"
  | "witnesses"
  | "trusted-root"
  | "policy"
  | "complete";

/**
 * `not-re-verifiable`: the log proves that it was recorded, and nobody can make it again from the file, because
 * retention has deleted bytes that it rests on.
 */
export type PackStatus = "holds" | "fails" | "not-re-verifiable";

/** One thing that was checked, in words that can be quoted. */
export interface PackCheck {
  readonly check: PackCheckName;
  readonly status: PackStatus;
  readonly statement: string;
  /** The event that it is about, where it is about one. */
  readonly event?: number;
}

/**
 * What an offline verification found. `ok` says that nothing fails; the file then shows the artifact's whole
 * history up to its last event, and says nothing of what the log holds after it.
 */
export interface PackReport {
  readonly ok: boolean;
  readonly artifact: Digest;
  /** The log that vouches for the file, and its size and root (base64) as of the file's checkpoint. */
  readonly log: { readonly origin: string; readonly size: number; readonly root: string } | null;
  /** The events that are proved to be in the log, in its order. Times are RFC 3339. */
  readonly events: readonly { readonly index: number; readonly time: string; readonly type: EventType }[];
  readonly checks: readonly PackCheck[];
}

/** The failures if there are any, else one check that says that all of it holds. */
export function allHold(
  check: PackCheckName,
  failures: readonly PackCheck[],
  statement: string,
): readonly PackCheck[] {
  return failures.length > 0 ? failures : [{ check, status: "holds", statement }];
}

export function failure(check: PackCheckName, statement: string, event?: number): PackCheck {
  return { check, status: "fails", statement, ...(event !== undefined && { event }) };
}

export function notReVerifiable(check: PackCheckName, statement: string, event: number): PackCheck {
  return { check, status: "not-re-verifiable", statement, event };
}

/** Whether everything that could be verified again holds. */
export function nothingFails(checks: readonly PackCheck[]): boolean {
  return checks.every(({ status }) => status !== "fails");
}

/** The report with what was checked besides. */
export function withChecks(report: PackReport, more: readonly PackCheck[]): PackReport {
  const checks = [...report.checks, ...more];
  return { ...report, ok: nothingFails(checks), checks };
}

/** Throws `pack-invalid`. */
export function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new VouchsafeError("pack-invalid", message);
}

/** What an error of ours says, to stand within a sentence. Any other error is a bug and goes on its way. */
export function reasonOf(error: unknown): string {
  if (error instanceof VouchsafeError || error instanceof AttestationFormatError)
    return error.message.replace(/\.$/, "");
  throw error;
}
