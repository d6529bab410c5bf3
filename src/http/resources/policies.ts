import { Type } from "typebox";
import { activatePolicies, readPolicies } from "../../services/activation/activate-policies.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { readAsOf } from "../../services/custody/state-as-of.ts";
import { simulatePolicies } from "../../services/simulation/simulate-policies.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, LogSize, line, nullable, PreviousHash, Receipt, Time } from "../schemas.ts";
import { Mode } from "./decision-schemas.ts";
import { SimulationLine } from "./simulation-schemas.ts";
import { LINES_MEDIA_TYPE, linesOf } from "./step-lines.ts";

const Policies = Type.Array(closed({ name: Type.String(), hash: Type.String(), mode: Mode }));

const Documents = Type.Array(
  closed({
    name: line(200),
    text: Type.String({ maxLength: 256 * 1024 }),
  }),
  { maxItems: 256 },
);
/** Of the directory of the node that answers. */
const LastReload = closed({
  at: Time,
  outcome: Type.Enum(["activated", "active", "unchanged", "superseded", "refused"]),
  problem: nullable(closed({ code: Type.String(), message: Type.String() })),
});

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
            lastReload: nullable(LastReload),
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
          documents: Documents,
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

  app.post(
    "/policies/simulate",
    {
      config: { costs: "simulation", access: ["operator", "auditor"] },
      schema: {
        summary:
          "What would change if these policies were active, now or as of a log size or a time; activates nothing",
        body: closed({
          documents: Documents,
          asOf: Type.Optional(Type.Union([LogSize, Time])),
        }),
        ...answers({
          200: {
            description: "JSON Lines: how far it is, and as the last line the result",
            content: { [LINES_MEDIA_TYPE]: { schema: SimulationLine } },
          },
        }),
      },
    },
    async (request, reply) => {
      const { documents, asOf } = request.body;
      const steps = simulatePolicies(v, callerOf(request), {
        documents,
        ...(asOf !== undefined && { asOf: readAsOf(asOf) }),
      });
      return reply.type(LINES_MEDIA_TYPE).send(await linesOf(steps, request));
    },
  );
}
