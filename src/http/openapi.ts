import fastifySwagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import type { TSchema } from "typebox";
import { rolesOf } from "./authentication.ts";
import { PROBLEM_MEDIA_TYPE } from "./problems.ts";
import { Problem } from "./schemas.ts";

/** Of the API: raised with the second number when something is added, with the first when something breaks. */
const VERSION = "0.1.0";

/** Describes every route that is registered after it, with the roles that may call it, for GET /openapi.json. */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Vouchsafe",
        version: VERSION,
        description:
          "Verifies supply-chain attestations, keeps the custody log that proves it, and decides whether a digest may be trusted.",
      },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access ?? "public";
      if (access === "public") return { schema: { ...schema, security: [] }, url };
      const roles = `Roles: ${rolesOf(access).join(", ")}${"installation" in access ? ", of the project default" : ""}.`;
      const description = schema?.description ? `${schema.description} ${roles}` : roles;
      return { schema: { ...schema, description, security: [{ token: [] }] }, url };
    },
  });
}

/** An answer in one of several media types. */
interface Described {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>;
}

/** A route's answers: those that succeed, by status, and a problem for every other. */
export function answers(byStatus: Readonly<Record<number, TSchema | Described>>): {
  readonly response: unknown;
} {
  const problem = { description: "Problem", content: { [PROBLEM_MEDIA_TYPE]: { schema: Problem } } };
  return { response: { ...byStatus, "4xx": problem, "5xx": problem } };
}

export function openapiRoute(app: FastifyInstance): void {
  app.get("/openapi.json", { config: { access: "public" }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
}
