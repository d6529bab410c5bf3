import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { recordDecision } from "../../services/decisions/record-decision.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, Digest, LogSize, line, PolicyName, Receipt } from "../schemas.ts";
import { AllowOrDeny, DecisionReason, Enforced } from "./decision-schemas.ts";

const Name = line(2048);

export function decisionRoutes(app: App, v: Vouchsafe): void {
  app.post(
    "/decisions",
    {
      config: { costs: "write", access: ["issuer"] },
      schema: {
        summary: "Record what an outside issuer granted, or refused, on our word",
        body: closed({
          artifact: Digest,
          policies: Type.Array(PolicyName, { maxItems: 64 }),
          decision: AllowOrDeny,
          asOf: LogSize,
          grantedTo: Name,
          issuer: Name,
          expiresAt: Type.Optional(Type.String({ minLength: 1, maxLength: 40, description: "RFC 3339" })),
        }),
        ...answers({
          201: closed({
            current: AllowOrDeny,
            enforced: Enforced,
            reasons: Type.Array(DecisionReason),
            receipt: Receipt,
          }),
        }),
      },
    },
    async (request, reply) => reply.code(201).send(await recordDecision(v, callerOf(request), request.body)),
  );
}
