import { parseDigest } from "../../in-toto-attestation/index.ts";
import { approverProblem } from "../../policy/approvals.ts";
import { isSameBasis } from "../../policy/evaluation/approval-statement.ts";
import { MAX_EXCEPTION } from "../../policy/exceptions.ts";
import { approvalIn, exceptionIn } from "../approval-bodies.ts";
import { digestIn, textIn } from "../body-fields.ts";
import type { LogEvent } from "../events.ts";
import { refuseUnless } from "../pack/report.ts";
import { policiesInForce } from "./replay.ts";
import type { Standing } from "./standing.ts";

/** The node's clock and the log's differ by moments. */
const RECORDED_WITHIN = 10_000;

/** An approval: of a verdict that had passed and of what it rested on, by one who might give it. */
export function replayApproval(event: LogEvent, standing: Standing): string {
  const { body } = event;
  const { artifact, approvals } = standing;
  refuseUnless(digestIn(body, "artifact") === artifact, "it is about another artifact");
  const approval = approvalIn(event);
  const { id, policy: name, policyHash, attestations, approver } = approval;
  refuseUnless(!approvals.has(id), "there is an approval of that id");

  const policy = policiesInForce(standing).policies.get(name);
  refuseUnless(policy !== undefined && policy.hash === policyHash, `its policy ${name} is another`);
  const rule = policy.spec.approvals;
  refuseUnless(rule !== undefined, `the policy ${name} asks for no approvals`);
  const verdict = standing.verdicts.get(name);
  refuseUnless(verdict?.passed === true, `the artifact had not passed ${name}`);
  const basis = verdict.attestations.map((one) => parseDigest(one));
  refuseUnless(isSameBasis(attestations, basis), "it is of other evidence than the verdict's");
  const { actors = [] } = verdict;
  const problem = approverProblem(rule, { ...approval, approvals: { actors, attested: [] } }, approver);
  refuseUnless(
    verdict.actors !== undefined && problem === undefined,
    `${approver}: ${problem ?? "not known"}`,
  );
  return `${approver} approved ${artifact} for ${name} (${id})${reasonIn(event)}.`;
}

export function replayApprovalWithdrawal(event: LogEvent, { approvals }: Standing): string {
  const id = textIn(event.body, "id");
  refuseUnless(approvals.has(id), "no such approval stood");
  return `the approval ${id} was withdrawn${reasonIn(event)}.`;
}

/** Somebody answers for an exception, and it ends: what is more than that would be no exception. */
export function replayException(event: LogEvent, { artifact, exceptions }: Standing): string {
  const { id, policy, owner, reason, expiresAt } = exceptionIn(event);
  refuseUnless(digestIn(event.body, "artifact") === artifact, "it is about another artifact");
  refuseUnless(!exceptions.has(id), "there is an exception of that id");
  refuseUnless(owner !== "" && reason !== "", "nobody answers for it, or it has no reason");
  refuseUnless(expiresAt - event.time <= MAX_EXCEPTION + RECORDED_WITHIN, "it lasts longer than 72 hours");
  return (
    `by exception ${id} ${artifact} was let through ${policy} until ${textIn(event.body, "expiresAt")}, ` +
    `for which ${owner} answers: ${reason}.`
  );
}

export function replayExceptionWithdrawal(event: LogEvent, { exceptions }: Standing): string {
  const id = textIn(event.body, "id");
  refuseUnless(exceptions.has(id), "no such exception stood");
  return `the exception ${id} was withdrawn: ${textIn(event.body, "reason")}.`;
}

function reasonIn({ body: { reason } }: LogEvent): string {
  return typeof reason === "string" ? `: ${reason}` : "";
}
