import { Type } from "typebox";
import { activateTrust, readTrust, type TrustProposal } from "../services/activate-trust.ts";
import type { Vouchsafe } from "../services/context.ts";
import type { App } from "./app.ts";
import { callerOf } from "./authentication.ts";
import { answers } from "./openapi.ts";
import { closed, nullable, PreviousHash, Receipt } from "./schemas.ts";

/** Sigstore trusted roots and keys. Its shape is judged where trust documents are read: any mistake is `invalid-trust`. */
const Document = Type.Unsafe<TrustProposal["document"]>(Type.Object({}));

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
          }),
        }),
      },
    },
    async (request) => readTrust(v, callerOf(request)),
  );

  const Activated = closed({ trust: Type.String(), summary: Type.Unknown(), receipt: nullable(Receipt) });
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
