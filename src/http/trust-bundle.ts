import { Type } from "typebox";
import type { Vouchsafe } from "../services/context.ts";
import { readJwks, readTrustBundle } from "../services/trust-bundle.ts";
import type { App } from "./app.ts";
import { answers } from "./openapi.ts";

const Keys = Type.Object({ keys: Type.Array(Type.Unknown()) });

/** What anybody needs to validate the trust domain's SVIDs. Authentic only as far as the connection is. */
export function trustBundleRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/trust-bundle",
    {
      config: { access: "public" },
      schema: { summary: "The trust domain's SPIFFE bundle", ...answers({ 200: Keys }) },
    },
    async () => readTrustBundle(v),
  );

  app.get(
    "/jwks.json",
    {
      config: { access: "public" },
      schema: { summary: "The keys of JWT-SVIDs, as a JWK Set (RFC 7517)", ...answers({ 200: Keys }) },
    },
    async () => readJwks(v),
  );
}
