import { randomUUID } from "node:crypto";
import type { Verdict } from "../../custody/log-store.ts";
import type { Receipt } from "../../custody/receipt.ts";
import { type ApprovalRecord, findApproval } from "../../db/approvals.ts";
import { chainsBehind } from "../../db/decision-inputs.ts";
import type { Reason, StandingVerdict } from "../../decisions/decide.ts";
import { passing } from "../../decisions/passing.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { type Approvable, approvalProblem, approverProblem, tallyApprovals } from "../../policy/approvals.ts";
import { isSameBasis } from "../../policy/evaluation/approval-statement.ts";
import type { ApprovalRule } from "../../policy/policy.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { receiptFor } from "../log/receipts.ts";
import { standingIn, takeBack } from "../take-back.ts";
import { type DigestStanding, standingOf } from "./workload-standing.ts";

/** What somebody approves, and what of it he has seen. */
export interface ApprovalRequest {
  readonly artifact: string;
  readonly policy: string;
  readonly reason?: string;
  /** Where given: the policy and the evidence that were looked at. Others are not approved in their place. */
  readonly policyHash?: string;
  readonly attestations?: readonly string[];
}

/** An approval as the API gives it. */
export interface ApprovalSummary {
  readonly id: string;
  readonly artifact: Digest;
  readonly policy: string;
  readonly policyHash: string;
  readonly attestations: readonly Digest[];
  readonly approver: string;
  readonly reason: string | null;
  readonly index: number;
}

/**
 * Approves what passed a policy, as it stands: this policy, resting on this evidence. What changes while it is
 * recorded is not approved unseen. A repeat is answered by the approval that stands.
 *
 * @throws VouchsafeError `conflict` where there is no current pass to approve, or another one than was looked at, or the
 *   policy asks for no approvals; `approval-refused` where the caller's would not count
 */
export async function grantApproval(
  v: Vouchsafe,
  { project, name: approver, token }: Caller,
  request: ApprovalRequest,
): Promise<ApprovalSummary & { readonly created: boolean; readonly receipt: Receipt }> {
  const artifact = parseDigest(request.artifact);
  const { policy, reason = null } = request;
  let seen = seenIn(request);
  const { committed, approval, earlier } = await appendFresh(v, async () => {
    const standing = await standingOf(v, project, artifact, [policy]);
    const { rule, verdict } = approvable(standing, policy, v.clock());
    refuseOther(seen, verdict);
    seen = verdict;
    const problem = approverProblem(rule, verdict, approver);
    if (problem !== undefined) throw new VouchsafeError("approval-refused", `${approver}: ${problem}`);
    const { policyHash, attestations } = verdict;
    const approval = { id: randomUUID(), artifact, policy, policyHash, attestations, approver, reason };
    const earlier = standing.approvals.find(
      (one) => one.approver === approver && approvalProblem(rule, verdict, one, v.clock()) === undefined,
    );
    const event = {
      type: "approval.granted",
      about: [artifact],
      body: { ...approval, caller: token },
    } as const;
    const restsOn = chainsBehind(artifact, standing);
    return {
      approval,
      earlier,
      proposal: { project, asOf: standing.size, restsOn, events: earlier === undefined ? [event] : [] },
    };
  });
  if (earlier !== undefined) {
    return {
      created: false,
      ...approvalSummary(earlier),
      receipt: await receiptFor(v, earlier.grantedIndex),
    };
  }
  const { index, receipt } = onlyEvent(committed);
  return { created: true, ...approval, index, receipt };
}

/**
 * Takes an approval back: by the one who gave it, or by an operator.
 *
 * @throws VouchsafeError `not-found` where it does not stand; `forbidden`
 */
export async function withdrawApproval(
  v: Vouchsafe,
  caller: Caller,
  request: { readonly artifact: string; readonly id: string; readonly reason: string },
): Promise<{ readonly id: string; readonly receipt: Receipt }> {
  const { project, name, roles } = caller;
  const artifact = parseDigest(request.artifact);
  const { id, reason } = request;
  return takeBack(v, caller, { type: "approval.withdrawn", id, reason }, async () => {
    const approval = await findApproval(v.database.kysely, project, id);
    if (approval?.artifact !== artifact || approval.withdrawnIndex !== undefined) {
      throw new VouchsafeError("not-found", `No approval ${id} of ${artifact} stands`);
    }
    if (approval.approver !== name && !roles.includes("operator")) {
      throw new VouchsafeError("forbidden", `${approval.approver} or an operator withdraws this approval`);
    }
    return standingIn(approval);
  });
}

/** The approvals that nobody withdrew, and what they come to for each policy that asks for some and was passed. */
export async function listApprovals(v: Vouchsafe, { project }: Caller, text: string) {
  const artifact = parseDigest(text);
  const standing = await standingOf(v, project, artifact, []);
  const now = v.clock();
  const asking = [...standing.inForce.policies].flatMap(([policy, { spec }]) => {
    const verdict = passingOf(standing, policy, now);
    if (spec.approvals === undefined || "code" in verdict) return [];
    const { counted, discounted } = tallyApprovals(spec.approvals, verdict, standing.approvals, now);
    const { required } = spec.approvals;
    return [
      {
        policy,
        policyHash: verdict.policyHash,
        attestations: verdict.attestations,
        required,
        approved: counted.length >= required,
        counted: counted.map(({ approver, until }) => ({ approver, until: new Date(until).toISOString() })),
        discounted,
      },
    ];
  });
  return { artifact, approvals: standing.approvals.map(approvalSummary), policies: asking };
}

type Basis = Pick<Approvable, "policyHash" | "attestations">;

/** What the caller says that he looked at: all of it, or nothing. */
function seenIn({ policyHash, attestations }: ApprovalRequest): Basis | undefined {
  if (policyHash === undefined && attestations === undefined) return undefined;
  if (policyHash === undefined || attestations === undefined) {
    throw new VouchsafeError("invalid-request", "Send both policyHash and attestations, or neither");
  }
  return { policyHash, attestations: attestations.map((id) => parseDigest(id)) };
}

function refuseOther(seen: Basis | undefined, { policyHash, attestations }: Basis): void {
  if (seen === undefined) return;
  if (seen.policyHash === policyHash && isSameBasis(seen.attestations, attestations)) return;
  throw new VouchsafeError(
    "conflict",
    "The policy or the evidence has changed: look at it, and approve that",
    {
      extensions: { policyHash, attestations },
    },
  );
}

function passingOf(
  { verdicts, inForce }: DigestStanding,
  policy: string,
  now: number,
): StandingVerdict | Reason {
  const verdict = verdicts.find((one) => one.policy === policy);
  return passing(policy, verdict, inForce, now);
}

function approvable(
  standing: DigestStanding,
  policy: string,
  now: number,
): { readonly rule: ApprovalRule; readonly verdict: Verdict } {
  const verdict = passingOf(standing, policy, now);
  if ("code" in verdict) {
    throw new VouchsafeError("conflict", `There is nothing to approve: ${verdict.message}`);
  }
  const rule = standing.inForce.policies.get(policy)?.spec.approvals;
  if (rule !== undefined) return { rule, verdict };
  throw new VouchsafeError("conflict", `The policy ${policy} asks for no approvals`);
}

export function approvalSummary({
  id,
  artifact,
  policy,
  policyHash,
  attestations,
  approver,
  reason,
  grantedIndex,
}: ApprovalRecord): ApprovalSummary {
  return {
    id,
    artifact,
    policy,
    policyHash,
    attestations,
    approver,
    reason: reason ?? null,
    index: grantedIndex,
  };
}
