import fastifySwagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { type TSchema, Type } from "typebox";
import { rolesOf } from "./authentication.ts";
import { openApiDocument } from "./openapi/document.ts";
import { HTML_TYPE, pagePolicy } from "./openapi/html.ts";
import { REFERENCE_STYLE, referencePage } from "./openapi/reference-page.ts";
import type { OpenApiDocument } from "./openapi/types.ts";
import { PROBLEM_MEDIA_TYPE } from "./problems.ts";
import { Problem } from "./schemas.ts";

/** Of the API: raised with the second number when something is added, with the first when something breaks. */
const VERSION = "0.1.0";

declare module "fastify" {
  interface FastifyInstance {
    /** The description of every route, made when it is first asked for. */
    openApi(): OpenApiDocument;
  }
}

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
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      // Where the description was read.
      servers: [{ url: "/" }],
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access ?? "public";
      if (access === "public") return { schema, url };
      const where = "installation" in access ? "Only in the project `default`." : undefined;
      const description = [schema?.description, where].filter((part) => part !== undefined).join(" ");
      return { schema: { ...schema, description, "x-roles": rolesOf(access) }, url };
    },
  });
  let made: OpenApiDocument | undefined;
  app.decorate("openApi", () => {
    made ??= openApiDocument(app.swagger());
    return made;
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
  const problem = {
    description: "What could not be done and why; `code` is from a closed list",
    content: { [PROBLEM_MEDIA_TYPE]: { schema: Problem } },
  };
  return { response: { ...byStatus, "4xx": problem, "5xx": problem } };
}

/** An answer that is no JSON: a file, or a stream. */
export function bytesOf(mediaType: string, description: string): Described {
  return { description, content: { [mediaType]: { schema: Type.String({ format: "binary" }) } } };
}

/** The same of text, e.g. server-sent events. */
export function textOf(mediaType: string, description: string): Described {
  return { description, content: { [mediaType]: { schema: Type.String() } } };
}

/** The description for programs, and the same for people. */
export function openapiRoutes(app: FastifyInstance): void {
  app.get("/openapi.json", { config: { access: "public" }, schema: { hide: true } }, async () =>
    app.openApi(),
  );

  let page: string | undefined;
  app.get("/docs", { config: { access: "public" }, schema: { hide: true } }, async (_request, reply) => {
    page ??= referencePage(app.openApi()).toString();
    reply.header("content-security-policy", pagePolicy(REFERENCE_STYLE));
    return reply.type(HTML_TYPE).send(page);
  });
}
