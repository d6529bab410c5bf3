import type { OpenApiDocument } from "./types.ts";

/** The ways in which a caller says who it is. */
export const SECURITY_SCHEMES: OpenApiDocument["components"]["securitySchemes"] = {
  token: {
    type: "http",
    scheme: "bearer",
    description: "A token of this server, `vouchsafe_…`, that an operator made (POST /tokens).",
  },
  oidc: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "An OIDC token of a CI system or another issuer, or a JWT-SVID, that an AccessPolicy of the project takes.",
  },
  mutualTls: {
    type: "mutualTLS",
    description: "An X.509-SVID as the client's certificate, that an AccessPolicy of the project takes.",
  },
  agent: {
    type: "http",
    scheme: "Vouchsafe-Agent",
    description: "A node agent's proof of this very request, signed with its key (docs/agent.md).",
  },
};

/** Any of them; an agent's proof only where agents may call. */
export function securityOf(access: readonly string[]): Record<string, string[]>[] {
  const always = [{ token: [] }, { oidc: [] }, { mutualTls: [] }];
  return access.includes("agent") ? [...always, { agent: [] }] : always;
}
