import { isJsonObject, type JsonObject, parseDigest } from "../in-toto-attestation/index.ts";
import type { Approval } from "../policy/approvals.ts";
import type { Exception } from "../policy/exceptions.ts";
import type { EvidenceOnApproval } from "../policy/types.ts";
import { digestIn, textIn, textsIn, timeIn } from "./body-fields.ts";
import type { LogEvent } from "./events.ts";

// What events of approvals and exceptions say. Each reader throws an error of ours where it is something else.

export function approvalIn({ body, time }: LogEvent): Approval {
  return {
    id: textIn(body, "id"),
    policy: textIn(body, "policy"),
    policyHash: digestIn(body, "policyHash"),
    attestations: textsIn(body, "attestations").map((id) => parseDigest(id)),
    approver: textIn(body, "approver"),
    grantedAt: time,
  };
}

export function exceptionIn({ body }: LogEvent): Exception {
  return {
    id: textIn(body, "id"),
    policy: textIn(body, "policy"),
    owner: textIn(body, "owner"),
    reason: textIn(body, "reason"),
    expiresAt: timeIn(body, "expiresAt"),
  };
}

/** Of a verdict whose policy asks for approvals: who built the artifact, and who had it built. */
export function actorsIn({ body: { approvals } }: LogEvent): readonly string[] | undefined {
  return isJsonObject(approvals) ? textsIn(approvals, "actors") : undefined;
}

/** What a verdict's evidence says on approval, as the verdict's event has it. */
export function approvalsBody({ actors, attested }: EvidenceOnApproval): JsonObject {
  return { actors, attested: attested.map((one) => ({ ...one })) };
}
