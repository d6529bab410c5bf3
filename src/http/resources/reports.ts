import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { reportWouldDeny } from "../../services/decisions/report-would-deny.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, Digest, LogSize, nullable, PAGE, PolicyName, Time } from "../schemas.ts";

const DEFAULT_PAGE = 50;

export function reportRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/reports/would-deny",
    {
      config: { access: ["operator", "auditor"] },
      schema: {
        summary: "Who would have been denied if the policies in audit mode were enforced, the newest first",
        querystring: closed({
          policy: Type.Optional(PolicyName),
          workload: Type.Optional(PolicyName),
          artifact: Type.Optional(Digest),
          since: Type.Optional(Type.String({ maxLength: 40, description: "RFC 3339" })),
          limit: PAGE.limit,
        }),
        ...answers({
          200: closed({
            wouldDeny: Type.Array(
              closed({
                policy: nullable(
                  Type.String({ description: "the VerificationPolicy that does not pass it" }),
                ),
                workload: nullable(
                  Type.String({ description: "the WorkloadPolicy that it was asked for by" }),
                ),
                artifact: nullable(Type.String()),
                because: nullable(
                  Type.String({
                    description: "the code that a WorkloadPolicy in audit mode would deny with",
                  }),
                ),
                requester: Type.String({ description: "who asked, or whom an outside issuer granted to" }),
                count: Type.Integer({ minimum: 1 }),
                first: LogSize,
                last: LogSize,
                lastTime: Time,
              }),
            ),
            truncated: Type.Boolean({ description: "there are more" }),
          }),
        }),
      },
    },
    async (request) => {
      const { limit, ...query } = request.query;
      return reportWouldDeny(v, callerOf(request), {
        ...query,
        limit: limit === undefined ? DEFAULT_PAGE : Number(limit),
      });
    },
  );
}
