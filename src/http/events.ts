import { Type } from "typebox";
import type { Vouchsafe } from "../services/context.ts";
import { readProjectLog } from "../services/read-events.ts";
import { readAsOf } from "../services/state-as-of.ts";
import type { App } from "./app.ts";
import { callerOf } from "./authentication.ts";
import { EventTypes } from "./custody-schemas.ts";
import { answers } from "./openapi.ts";
import { AsOfText, closed, EVENT, Flag, LogSize, named, nullable, PAGE } from "./schemas.ts";

const DEFAULT_PAGE = 50;

export const Events = named(
  "EventPage",
  closed({
    project: Type.String({ description: "the opaque id that the project's entries in the log bear, a UUID" }),
    origin: Type.String(),
    treeSize: LogSize,
    checkpoint: Type.String({
      description: "of treeSize: the pages hold every event of the project below it",
    }),
    events: Type.Array(closed({ ...EVENT, inclusionProof: Type.Optional(Type.Array(Type.String())) })),
    next: nullable(Type.String()),
  }),
);

export function eventRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/events",
    {
      config: { access: ["auditor", "operator"] },
      schema: {
        summary: "The project's events in the order of the log, for those who follow it",
        querystring: closed({
          type: Type.Optional(EventTypes),
          asOf: Type.Optional(AsOfText),
          proofs: Type.Optional(Flag),
          ...PAGE,
        }),
        ...answers({ 200: Events }),
      },
    },
    async (request) => {
      const { type, asOf, proofs, limit, ...page } = request.query;
      return readProjectLog(v, callerOf(request), {
        ...page,
        ...(type !== undefined && { types: [type].flat() }),
        ...(asOf !== undefined && { asOf: readAsOf(asOf) }),
        proofs: proofs === "true",
        limit: limit === undefined ? DEFAULT_PAGE : Number(limit),
      });
    },
  );
}
