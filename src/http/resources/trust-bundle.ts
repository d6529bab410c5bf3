import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import {
  readJwks,
  readOpenIdConfiguration,
  readTrustBundle,
} from "../../services/identities/trust-bundle.ts";
import type { App } from "../app.ts";
import { answers } from "../openapi.ts";
import { named } from "../schemas.ts";

export const BundleDocument = named("Bundle", Type.Object({ keys: Type.Array(Type.Unknown()) }));
/** Caches spare the node, and delay a new bundle by less than peers wait between two of them. */
export const BUNDLE_CACHE_CONTROL = "public, max-age=60";

const OpenIdConfiguration = named(
  "OpenIdConfiguration",
  Type.Object({
    issuer: Type.String(),
    jwks_uri: Type.String(),
    authorization_endpoint: Type.Literal("", { description: "there is none: nobody logs in here" }),
    response_types_supported: Type.Array(Type.String()),
    subject_types_supported: Type.Array(Type.String()),
    id_token_signing_alg_values_supported: Type.Array(Type.String()),
  }),
);

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

  // Under the path of the issuer's URL, which a proxy takes away before it asks here.
  const issuer = v.config.oidcIssuer;
  if (issuer === undefined) return;
  app.get(
    "/.well-known/openid-configuration",
    {
      config: { access: "public" },
      schema: {
        summary: "OpenID Connect discovery: how JWT-SVIDs are validated by who knows no SPIFFE",
        ...answers({ 200: OpenIdConfiguration }),
      },
    },
    async (_request, reply) => {
      reply.header("cache-control", BUNDLE_CACHE_CONTROL);
      return readOpenIdConfiguration(v, issuer);
    },
  );
}
