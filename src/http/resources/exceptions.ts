import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { grantException, listExceptions, withdrawException } from "../../services/decisions/exceptions.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import {
  closed,
  Digest,
  EventId,
  Exception,
  line,
  PolicyName,
  Reason,
  Receipt,
  TakenBack,
} from "../schemas.ts";

export function exceptionRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/exceptions",
    {
      config: { access: ["operator", "auditor", "issuer"] },
      schema: {
        summary: "The exceptions that last",
        ...answers({ 200: closed({ exceptions: Type.Array(Exception) }) }),
      },
    },
    async (request) => listExceptions(v, callerOf(request)),
  );

  app.post(
    "/artifacts/:digest/exceptions",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "Let an artifact through a policy that denies it, for 72 hours at most",
        params: closed({ digest: Digest }),
        body: closed({
          policy: PolicyName,
          reason: Reason,
          owner: line(200),
          expiresAt: Type.String({ minLength: 1, maxLength: 40, description: "RFC 3339" }),
        }),
        ...answers({ 201: closed({ ...Exception.properties, receipt: Receipt }) }),
      },
    },
    async (request, reply) => {
      const asked = { artifact: request.params.digest, ...request.body };
      return reply.code(201).send(await grantException(v, callerOf(request), asked));
    },
  );

  app.post(
    "/artifacts/:digest/exceptions/:id/withdraw",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "End an exception: the policy decides again",
        params: closed({ digest: Digest, id: EventId }),
        body: closed({ reason: Reason }),
        ...answers({ 200: TakenBack }),
      },
    },
    async (request) => {
      const { digest, id } = request.params;
      return withdrawException(v, callerOf(request), { artifact: digest, id, ...request.body });
    },
  );
}
