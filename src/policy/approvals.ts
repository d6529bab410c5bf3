import type { Digest } from "../in-toto-attestation/index.ts";
import { isSameBasis } from "./evaluation/approval-statement.ts";
import { personOf } from "./person.ts";
import type { ApprovalRule } from "./policy.ts";
import type { EvidenceOnApproval } from "./types.ts";

/** An approval that was given to the service and not withdrawn. */
export interface Approval {
  readonly id: string;
  readonly policy: string;
  readonly policyHash: string;
  /** What the verdict rested on that was approved. */
  readonly attestations: readonly Digest[];
  /** Name of the token that gave it. */
  readonly approver: string;
  /** Milliseconds since the epoch. */
  readonly grantedAt: number;
}

/** A pass that is to be approved: of which policy, at which hash, resting on what. */
export interface Approvable {
  readonly policy: string;
  readonly policyHash: string;
  readonly attestations: readonly Digest[];
  readonly approvals?: EvidenceOnApproval;
}

/** Approvals of a pass: by whom it is approved, each person once, and whose approval does not count. */
export interface Tally {
  /** Those that last longest first. `until` in milliseconds since the epoch. */
  readonly counted: readonly { readonly approver: string; readonly until: number }[];
  readonly discounted: readonly { readonly approver: string; readonly why: string }[];
}

/**
 * Counts the approvals of a pass: by somebody who may give them and neither built the artifact nor had it built, of
 * this very policy and this very evidence, and not too old. Both ways to approve count alike, and each person once.
 *
 * @param now milliseconds since the epoch
 */
export function tallyApprovals(
  rule: ApprovalRule,
  pass: Approvable,
  granted: readonly Approval[],
  now: number,
): Tally {
  const all = [
    ...granted
      .filter(({ policy }) => policy === pass.policy)
      .map((one) => ({ ...one, at: one.grantedAt, why: approvalProblem(rule, pass, one, now) })),
    ...(pass.approvals?.attested ?? []).map(({ approver, signedAt: at }) => ({
      approver,
      at,
      why: actorProblem(pass, approver) ?? ageProblem(rule, at, now),
    })),
  ];
  const counted = new Map<string, { approver: string; until: number }>();
  for (const { approver, at, why } of all) {
    const person = personOf(approver);
    const until = at + rule.expiresAfter;
    if (why === undefined && (counted.get(person)?.until ?? 0) < until)
      counted.set(person, { approver, until });
  }
  return {
    counted: [...counted.values()].sort((a, b) => b.until - a.until || (a.approver < b.approver ? -1 : 1)),
    discounted: all.flatMap(({ approver, why }) => (why === undefined ? [] : [{ approver, why }])),
  };
}

/** Why an approval by the token of this name would not count, whenever it were given; undefined where it would. */
export function approverProblem(rule: ApprovalRule, pass: Approvable, approver: string): string | undefined {
  if (!rule.from.some((one) => one.case === "token" && one.name.matches(approver))) {
    return "not among those who may approve";
  }
  return actorProblem(pass, approver);
}

/** Why an approval of the pass does not count now; undefined where it does. */
export function approvalProblem(
  rule: ApprovalRule,
  pass: Approvable,
  approval: Approval,
  now: number,
): string | undefined {
  if (approval.policy !== pass.policy) return "of another policy";
  if (approval.policyHash !== pass.policyHash) return "of another version of the policy";
  if (!isSameBasis(approval.attestations, pass.attestations)) return "of other evidence";
  return approverProblem(rule, pass, approval.approver) ?? ageProblem(rule, approval.grantedAt, now);
}

function ageProblem({ expiresAfter }: ApprovalRule, at: number, now: number): string | undefined {
  return now < at + expiresAfter ? undefined : "expired";
}

/** Without a word on who built it, nobody is known not to have. */
function actorProblem({ approvals }: Approvable, approver: string): string | undefined {
  if (approvals === undefined) return "it is not known who built the artifact";
  const person = personOf(approver);
  return approvals.actors.some((actor) => personOf(actor) === person)
    ? "built the artifact or had it built"
    : undefined;
}
