import { Type } from "typebox";
import type { Vouchsafe } from "../services/context.ts";
import { liftQuarantine, listQuarantines, openQuarantine } from "../services/quarantine.ts";
import type { App } from "./app.ts";
import { callerOf } from "./authentication.ts";
import { answers } from "./openapi.ts";
import { closed, EventId, Placed, Placing, Reason, Standing, TakenBack } from "./schemas.ts";

export function quarantineRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/quarantines",
    {
      config: { access: ["operator", "auditor", "issuer"] },
      schema: {
        summary: "The open quarantines",
        ...answers({
          200: closed({
            quarantines: Type.Array(Standing),
          }),
        }),
      },
    },
    async (request) => listQuarantines(v, callerOf(request)),
  );

  app.post(
    "/quarantines",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "Deny a digest from now on, whatever its verdicts",
        body: Placing,
        ...answers({
          201: Placed,
        }),
      },
    },
    async (request, reply) => reply.code(201).send(await openQuarantine(v, callerOf(request), request.body)),
  );

  app.post(
    "/quarantines/:id/lift",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "End a quarantine",
        params: closed({ id: EventId }),
        body: closed({ reason: Reason }),
        ...answers({ 200: TakenBack }),
      },
    },
    async (request) => liftQuarantine(v, callerOf(request), { ...request.params, ...request.body }),
  );
}
