import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { sweepEvidence } from "../../services/evidence/expire-evidence.ts";
import { listHolds, placeHold, releaseHold } from "../../services/evidence/holds.ts";
import { assignRetention, readRetention } from "../../services/evidence/retention-classes.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import {
  closed,
  Digest,
  EventId,
  LogSize,
  LogSizeText,
  nullable,
  Placed,
  Placing,
  Reason,
  Receipt,
  Standing,
  TakenBack,
  Time,
} from "../schemas.ts";

const ClassName = Type.String({ minLength: 1, maxLength: 63, pattern: "^[a-z0-9.-]+$" });

export const Retention = closed({
  artifact: Type.String(),
  class: nullable(Type.String({ description: "the class that counts; null: nothing is ever deleted" })),
  isAssigned: Type.Boolean(),
  holds: Type.Array(Standing),
  evidence: Type.Array(
    closed({
      attestation: Type.String(),
      acceptedAt: Time,
      state: Type.Enum(["held", "kept", "live", "due"]),
      keptUntil: nullable(Time),
    }),
  ),
});

export const Sweep = closed({
  expired: Type.Array(
    closed({
      attestation: Type.String(),
      artifacts: Type.Array(Type.String()),
      class: Type.String(),
      acceptedAt: Time,
      keptUntil: Time,
      index: nullable(LogSize),
    }),
  ),
  held: LogSize,
  live: LogSize,
  next: nullable(LogSize),
});

/** How long evidence is kept: holds, classes, and what is deleted. */
export function retentionRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/holds",
    {
      config: { access: ["operator", "auditor"] },
      schema: {
        summary: "The legal holds that stand",
        ...answers({ 200: closed({ holds: Type.Array(Standing) }) }),
      },
    },
    async (request) => listHolds(v, callerOf(request)),
  );

  app.post(
    "/holds",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "Keep the evidence that an artifact's chain needs, whatever its retention class",
        body: Placing,
        ...answers({
          201: Placed,
        }),
      },
    },
    async (request, reply) => reply.code(201).send(await placeHold(v, callerOf(request), request.body)),
  );

  app.post(
    "/holds/:id/release",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "End a legal hold",
        params: closed({ id: EventId }),
        body: closed({ reason: Reason }),
        ...answers({ 200: TakenBack }),
      },
    },
    async (request) => releaseHold(v, callerOf(request), { ...request.params, ...request.body }),
  );

  app.get(
    "/artifacts/:digest/retention",
    {
      config: { access: ["operator", "auditor"] },
      schema: {
        summary: "How long what is about an artifact is kept, and why",
        params: closed({ digest: Digest }),
        ...answers({ 200: Retention }),
      },
    },
    async (request) => readRetention(v, callerOf(request), request.params.digest),
  );

  app.post(
    "/artifacts/:digest/retention",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "Assign an artifact its retention class",
        params: closed({ digest: Digest }),
        body: closed({ class: ClassName, reason: Reason }),
        ...answers({ 200: closed({ artifact: Type.String(), class: Type.String(), receipt: Receipt }) }),
      },
    },
    async (request) =>
      assignRetention(v, callerOf(request), { artifact: request.params.digest, ...request.body }),
  );

  app.get(
    "/retention/due",
    {
      config: { access: ["operator", "auditor"] },
      schema: {
        summary: "The evidence whose bytes a sweep would delete, a part at a time",
        querystring: closed({ after: Type.Optional(LogSizeText) }),
        ...answers({ 200: Sweep }),
      },
    },
    async (request) => {
      const { after } = request.query;
      return sweepEvidence(v, callerOf(request), {
        dryRun: true,
        ...(after !== undefined && { after: Number(after) }),
      });
    },
  );

  app.post(
    "/retention/sweep",
    {
      config: { costs: "simulation", access: ["operator"] },
      schema: {
        summary: "Delete the bytes of evidence that nothing keeps any more, a part at a time",
        body: closed({ after: Type.Optional(LogSize) }),
        ...answers({ 200: Sweep }),
      },
    },
    async (request) => sweepEvidence(v, callerOf(request), request.body),
  );
}
