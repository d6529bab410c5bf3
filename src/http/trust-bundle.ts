import { Type } from "typebox";
import type { Vouchsafe } from "../services/context.ts";
import { readJwks, readTrustBundle } from "../services/trust-bundle.ts";
import type { App } from "./app.ts";
import { answers } from "./openapi.ts";

export const BundleDocument = Type.Object({ keys: Type.Array(Type.Unknown()) });
/** Caches spare the node, and delay a new bundle by less than peers wait between two of them. */
export const BUNDLE_CACHE_CONTROL = "public, max-age=60";

/** What anybody needs to validate the trust domain's SVIDs. Authentic only as far as the connection is. */
export function trustBundleRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/trust-bundle",
    {
      config: { access: "public" },
      schema: { summary: "The trust domain's SPIFFE bundle", ...answers({ 200: BundleDocument }) },
    },
    async (_request, reply) => {
      reply.header("cache-control", BUNDLE_CACHE_CONTROL);
      return readTrustBundle(v);
    },
  );

  app.get(
    "/jwks.json",
    {
      config: { access: "public" },
      schema: {
        summary: "The keys of JWT-SVIDs, as a JWK Set (RFC 7517)",
        ...answers({ 200: BundleDocument }),
      },
    },
    async (_request, reply) => {
      reply.header("cache-control", BUNDLE_CACHE_CONTROL);
      return readJwks(v);
    },
  );
}
