import { Type } from "typebox";
import { activatePolicies, readPolicies } from "../services/activate-policies.ts";
import type { Vouchsafe } from "../services/context.ts";
import type { App } from "./app.ts";
import { callerOf } from "./authentication.ts";
import { answers } from "./openapi.ts";
import { closed, line, Mode, nullable, PreviousHash, Receipt } from "./schemas.ts";

const Policies = Type.Array(closed({ name: Type.String(), hash: Type.String(), mode: Mode }));

export function policyRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/policies",
    {
      config: { access: ["auditor", "operator", "approver", "uploader", "issuer"] },
      schema: {
        summary: "The active policies, as they were written",
        ...answers({
          200: closed({
            policySet: nullable(Type.String()),
            documents: Type.Array(closed({ name: Type.String(), text: Type.String() })),
            policies: Policies,
          }),
        }),
      },
    },
    async (request) => readPolicies(v, callerOf(request)),
  );

  const Activated = closed({ policySet: Type.String(), policies: Policies, receipt: nullable(Receipt) });
  app.post(
    "/policies",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "Activate a policy set in the place of the one named by previous",
        body: closed({
          documents: Type.Array(
            closed({
              name: line(200),
              text: Type.String({ maxLength: 256 * 1024 }),
            }),
            { maxItems: 256 },
          ),
          previous: PreviousHash,
        }),
        ...answers({ 200: Activated, 201: Activated }),
      },
    },
    async (request, reply) => {
      const activated = await activatePolicies(v, callerOf(request), request.body);
      return reply.code(activated.receipt === null ? 200 : 201).send(activated);
    },
  );
}
