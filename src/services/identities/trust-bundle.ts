import type { KeyObject } from "node:crypto";
import { writeJwks, writeTrustBundle } from "../../identity/trust-bundle.ts";
import type { Vouchsafe } from "../context.ts";

/** The trust domain's SPIFFE bundle, by which anybody validates its SVIDs. */
export function readTrustBundle({ authority }: Vouchsafe) {
  return writeTrustBundle(authority.bundle());
}

/** Where libraries that know OpenID Connect find those keys (OpenID Connect Discovery 1.0 §3). Nobody logs in here. */
export function readOpenIdConfiguration({ authority }: Vouchsafe, issuer: string) {
  const keys = [...authority.bundle().jwtAuthorities.values()];
  return {
    issuer,
    jwks_uri: `${issuer}/jwks.json`,
    authorization_endpoint: "",
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...new Set(keys.map(jwtAlgorithmOf))].sort(),
  };
}

function jwtAlgorithmOf({ asymmetricKeyType }: KeyObject): "ES256" | "RS256" {
  return asymmetricKeyType === "rsa" ? "RS256" : "ES256";
}

/** The keys of JWT-SVIDs alone, for libraries that know JWT and not SPIFFE. */
export function readJwks({ authority }: Vouchsafe) {
  return writeJwks(authority.bundle());
}
