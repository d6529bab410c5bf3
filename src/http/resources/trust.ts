import { Type } from "typebox";
import { activateTrust, readTrust, type TrustProposal } from "../../services/activation/activate-trust.ts";
import { refreshTrust } from "../../services/activation/refresh-trust.ts";
import type { Vouchsafe } from "../../services/context.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, nullable, PreviousHash, Receipt } from "../schemas.ts";

/** Sigstore trusted roots, keys and X.509 roots. Its shape is judged where trust documents are read: any mistake is `invalid-trust`. */
const Document = Type.Unsafe<TrustProposal["document"]>(Type.Object({}));

/** What the TUF repository of an instance answered this node. */
const Source = closed({
  name: Type.String(),
  repository: Type.String(),
  from: nullable(Type.Union([Type.Literal("network"), Type.Literal("cache")])),
  refreshedAt: Type.String(),
  expires: nullable(Type.String()),
  problem: nullable(Type.String()),
});

export function trustRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/trust",
    {
      config: { access: ["auditor", "operator"] },
      schema: {
        summary: "The active trust snapshot",
        ...answers({
          200: closed({
            trust: nullable(Type.String()),
            document: nullable(Document),
            summary: Type.Unknown(),
            sources: Type.Array(Source),
          }),
        }),
      },
    },
    async (request) => readTrust(v, callerOf(request)),
  );

  app.post(
    "/trust/refresh",
    {
      config: { costs: "simulation", access: ["operator"] },
      schema: {
        summary: "Ask the instances' TUF repositories what they publish now; changes nothing",
        ...answers({
          200: closed({
            active: nullable(Type.String()),
            sources: Type.Array(Source),
            proposal: nullable(
              closed({ document: Document, trust: Type.String(), extendsActive: Type.Boolean() }),
            ),
          }),
        }),
      },
    },
    async (request) => refreshTrust(v, callerOf(request)),
  );

  const Activated = closed({
    trust: Type.String(),
    summary: Type.Unknown(),
    extendsPrevious: Type.Boolean(),
    receipt: nullable(Receipt),
  });
  app.post(
    "/trust",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "Activate a trust snapshot in the place of the one named by previous",
        body: closed({ document: Document, previous: PreviousHash }),
        ...answers({ 200: Activated, 201: Activated }),
      },
    },
    async (request, reply) => {
      const activated = await activateTrust(v, callerOf(request), request.body);
      return reply.code(activated.receipt === null ? 200 : 201).send(activated);
    },
  );
}
