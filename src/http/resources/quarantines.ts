import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import {
  liftQuarantine,
  listQuarantines,
  openQuarantine,
  previewQuarantine,
} from "../../services/incidents/quarantine.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, Digest, EventId, LogSize, named, nullable, Reason, Receipt, TakenBack } from "../schemas.ts";
import { Falls } from "./revocations.ts";
import { AskedQuarantine, QuarantineTarget } from "./targets.ts";

export const Quarantine = named(
  "Quarantine",
  closed({
    id: Type.String(),
    target: QuarantineTarget,
    reason: Type.String(),
    index: LogSize,
  }),
);

export function quarantineRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/quarantines",
    {
      config: { access: ["operator", "auditor", "issuer"] },
      schema: {
        summary: "The open quarantines",
        ...answers({ 200: closed({ quarantines: Type.Array(Quarantine) }) }),
      },
    },
    async (request) => listQuarantines(v, callerOf(request)),
  );

  app.post(
    "/quarantines",
    {
      config: { access: ["operator"] },
      schema: {
        summary:
          "Deny from now on, whatever the verdicts: a digest, what a rule holds, a policy or an identity",
        body: closed({
          target: Type.Optional(AskedQuarantine),
          artifact: Type.Optional(Digest),
          reason: Reason,
          dryRun: Type.Optional(Type.Boolean({ description: "say what would fall, and quarantine nothing" })),
        }),
        ...answers({
          200: closed({ target: QuarantineTarget, falls: Falls }, "With dryRun"),
          201: closed({ ...Quarantine.properties, receipt: Receipt, falls: nullable(Falls) }),
        }),
      },
    },
    async (request, reply) => {
      const { dryRun, ...asked } = request.body;
      if (dryRun === true) return previewQuarantine(v, callerOf(request), asked);
      return reply.code(201).send(await openQuarantine(v, callerOf(request), asked));
    },
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
