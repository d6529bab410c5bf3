import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { grantApproval, listApprovals, withdrawApproval } from "../../services/decisions/approvals.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import {
  Approval,
  closed,
  Digest,
  EventId,
  PolicyName,
  Reason,
  Receipt,
  TakenBack,
  Time,
} from "../schemas.ts";

/** As many as a verdict can rest on. */
const MAX_ATTESTATIONS = 1024;

export function approvalRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/artifacts/:digest/approvals",
    {
      config: { access: ["approver", "operator", "auditor", "issuer"] },
      schema: {
        summary: "Who approved an artifact, and what each policy that asks for approvals makes of it",
        params: closed({ digest: Digest }),
        ...answers({
          200: closed({
            artifact: Type.String(),
            approvals: Type.Array(Approval),
            policies: Type.Array(
              closed({
                policy: Type.String(),
                policyHash: Type.String(),
                attestations: Type.Array(Type.String(), {
                  description: "the evidence that an approval is of",
                }),
                required: Type.Integer(),
                approved: Type.Boolean(),
                counted: Type.Array(closed({ approver: Type.String(), until: Time })),
                discounted: Type.Array(closed({ approver: Type.String(), why: Type.String() })),
              }),
              { description: "those that the artifact passes now" },
            ),
          }),
        }),
      },
    },
    async (request) => listApprovals(v, callerOf(request), request.params.digest),
  );

  app.post(
    "/artifacts/:digest/approvals",
    {
      config: { access: ["approver"] },
      schema: {
        summary: "Approve what passed a policy, as it stands",
        description:
          "With the policyHash and the attestations that were looked at, others are not approved in their place.",
        params: closed({ digest: Digest }),
        body: closed({
          policy: PolicyName,
          reason: Type.Optional(Reason),
          policyHash: Type.Optional(Digest),
          attestations: Type.Optional(Type.Array(Digest, { maxItems: MAX_ATTESTATIONS })),
        }),
        ...answers({ 200: granted("It stood already"), 201: granted("It stands now") }),
      },
    },
    async (request, reply) => {
      const { created, ...approval } = await grantApproval(v, callerOf(request), {
        artifact: request.params.digest,
        ...request.body,
      });
      return reply.code(created ? 201 : 200).send(approval);
    },
  );

  app.post(
    "/artifacts/:digest/approvals/:id/withdraw",
    {
      config: { access: ["approver", "operator"] },
      schema: {
        summary: "Take an approval back: one's own, or as an operator anybody's",
        params: closed({ digest: Digest, id: EventId }),
        body: closed({ reason: Reason }),
        ...answers({ 200: TakenBack }),
      },
    },
    async (request) => {
      const { digest, id } = request.params;
      return withdrawApproval(v, callerOf(request), { artifact: digest, id, ...request.body });
    },
  );
}

function granted(description: string) {
  return closed({ ...Approval.properties, receipt: Receipt }, description);
}
