import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { listInventory, MARKS, STATES } from "../../services/identities/inventory.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, Digest, LogSize, line, nullable, PAGE, PolicyName, Time } from "../schemas.ts";

const DEFAULT_PAGE = 50;
const Name = line(2048);
const State = Type.Enum([...STATES]);
const Mark = Type.Enum([...MARKS]);

export function inventoryRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/inventory",
    {
      config: { access: ["auditor", "operator"] },
      schema: {
        summary: "Everyone who was ever granted something, with owner, artifact, issuer and last renewal",
        querystring: closed({
          subject: Type.Optional(Name),
          workload: Type.Optional(PolicyName),
          issuer: Type.Optional(Name),
          requester: Type.Optional(Name),
          digest: Type.Optional(Digest),
          state: Type.Optional(State),
          mark: Type.Optional(Mark),
          ...PAGE,
        }),
        ...answers({
          200: closed({
            inventory: Type.Array(
              closed({
                subject: Type.String({ description: "a SPIFFE ID, or whom an outside issuer granted to" }),
                workload: nullable(
                  Type.String({ description: "the workload policy; null where an outside issuer granted" }),
                ),
                issuer: nullable(
                  Type.String({ description: "the outside issuer; null where the SVIDs are ours" }),
                ),
                owner: nullable(Type.String()),
                requester: Type.String(),
                state: State,
                live: Type.Integer({ minimum: 0, description: "SVIDs that live now" }),
                grants: Type.Integer({ minimum: 1 }),
                digests: Type.Array(Type.String(), { description: "of the newest grant" }),
                firstGrantedAt: Time,
                lastGrantedAt: Time,
                lastRenewedAt: nullable(Time),
                expiresAt: nullable(Time),
                marks: Type.Array(Mark),
                firstIndex: LogSize,
                lastIndex: LogSize,
              }),
            ),
            next: nullable(Type.String()),
          }),
        }),
      },
    },
    async (request) => {
      const { limit, ...query } = request.query;
      return listInventory(v, callerOf(request), {
        ...query,
        limit: limit === undefined ? DEFAULT_PAGE : Number(limit),
      });
    },
  );
}
