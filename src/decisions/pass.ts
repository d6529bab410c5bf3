import { type Approvable, type Approval, type Tally, tallyApprovals } from "../policy/approvals.ts";
import { approversText, shown } from "../policy/evaluation/check-text.ts";
import { CONTAINMENT_CHECK } from "../policy/evaluation/containment.ts";
import type { Exception } from "../policy/exceptions.ts";
import type { ApprovalRule } from "../policy/policy.ts";
import type { NamedVerdict, Reason } from "./decide.ts";

/** Why one policy lets the artifact through: by its verdict, or by an exception to it. */
export interface Pass {
  readonly verdict?: NamedVerdict;
  readonly exception?: Exception;
  readonly reasons: readonly Reason[];
  readonly slsaLevel: number;
  /** Milliseconds since the epoch; null when time alone does not end it. */
  readonly until: number | null;
}

/** How many of the approvals that do not count a reason tells. */
const MAX_DISCOUNTED = 8;

export function passByVerdict(verdict: NamedVerdict): Pass {
  const { policy, slsaLevel, validUntil = null, checks } = verdict;
  const held = checks.find(({ check, passed }) => check === CONTAINMENT_CHECK && passed);
  const why = held === undefined ? "" : `: it lies ${held.actual}`;
  const passed: Reason = { code: "verdict-passed", message: `Policy ${policy} passed${why}`, policy };
  return { verdict, reasons: [passed], slsaLevel, until: validUntil };
}

/** The same pass with the approvals that its policy asks for, or that they are missing. */
export function withApprovals(
  pass: Pass,
  rule: ApprovalRule,
  verdict: Approvable,
  approvals: readonly Approval[],
  now: number,
): Pass | Reason {
  const { policy } = verdict;
  const tally = tallyApprovals(rule, verdict, approvals, now);
  const needed = tally.counted.slice(0, rule.required);
  if (needed.length < rule.required) return missing(policy, rule, tally);
  const approvers = needed.map(({ approver }) => shown(approver)).join(", ");
  const approved: Reason = { code: "approved", message: `Approved for ${policy} by ${approvers}`, policy };
  const ends = [pass.until ?? Number.POSITIVE_INFINITY, ...needed.map(({ until }) => until)];
  return { ...pass, reasons: [...pass.reasons, approved], until: Math.min(...ends) };
}

function missing(policy: string, rule: ApprovalRule, { counted, discounted }: Tally): Reason {
  const not = discounted
    .slice(0, MAX_DISCOUNTED)
    .map(({ approver, why }) => `; that of ${shown(approver)} does not count: ${why}`);
  return {
    code: "approval-missing",
    message: `Policy ${policy} passed with ${counted.length} of ${rule.required} approvals, which ${approversText(rule)} may give${not.join("")}`,
    policy,
  };
}

export function passByException(exception: Exception): Pass {
  const { id, policy, owner, reason, expiresAt } = exception;
  const end = new Date(expiresAt).toISOString();
  const told: Reason = {
    code: "exception",
    message: `Policy ${policy} lets it through by an exception until ${end}, for which ${owner} answers: ${reason}`,
    policy,
    exception: { id, owner, reason, expiresAt: end },
  };
  return { exception, reasons: [told], slsaLevel: 0, until: expiresAt };
}
