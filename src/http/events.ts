import { Type } from "typebox";
import type { Vouchsafe } from "../services/context.ts";
import { readProjectLog } from "../services/read-events.ts";
import type { App } from "./app.ts";
import { callerOf } from "./authentication.ts";
import { answers } from "./openapi.ts";
import { closed, EVENT, LogSize, nullable, PAGE } from "./schemas.ts";

const DEFAULT_PAGE = 50;

export const Events = closed({
  project: Type.String({ description: "the opaque id that the project's entries in the log bear, a UUID" }),
  origin: Type.String(),
  treeSize: LogSize,
  checkpoint: Type.String({ description: "of treeSize: the pages hold every event of the project below it" }),
  events: Type.Array(closed({ ...EVENT, inclusionProof: Type.Optional(Type.Array(Type.String())) })),
  next: nullable(Type.String()),
});

export function eventRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/events",
    {
      config: { access: ["auditor", "operator"] },
      schema: {
        summary: "The project's events in the order of the log, for those who follow it",
        querystring: closed({
          proofs: Type.Optional(
            Type.Enum(["true", "false"], { description: "true: each with its proof of inclusion" }),
          ),
          ...PAGE,
        }),
        ...answers({ 200: Events }),
      },
    },
    async (request) => {
      const { proofs, limit, ...page } = request.query;
      return readProjectLog(v, callerOf(request), {
        ...page,
        proofs: proofs === "true",
        limit: limit === undefined ? DEFAULT_PAGE : Number(limit),
      });
    },
  );
}
