import { STATUS_CODES } from "node:http";
import { PROBLEM_MEDIA_TYPE } from "../problems.ts";
import { hoistSchemas } from "./components.ts";
import { SECURITY_SCHEMES, securityOf } from "./security.ts";
import { placeOf, TAG_DESCRIPTIONS, tagOf } from "./tags.ts";
import type { OpenApiDocument, Operation, Parameter, Response, Schema } from "./types.ts";

/** Which project a call is about; routes for anybody are about none. */
const PROJECT: Parameter = {
  name: "Vouchsafe-Project",
  in: "header",
  description:
    "The project that the call is about, for callers whose credential does not say it (OIDC tokens and SVIDs); default if absent. A bearer token knows its project, and a header must agree.",
  schema: { type: "string", pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", examples: ["default"] },
};

/**
 * Makes of what Fastify says of its routes a document that generators take: operations and schemas with names, one
 * copy of each, every parameter and every way to authenticate.
 *
 * @param described as @fastify/swagger has it; is not changed
 * @throws TypeError for two schemas of one title, or two operations of one id
 */
export function openApiDocument(described: object): OpenApiDocument {
  const document: OpenApiDocument = JSON.parse(JSON.stringify(described));
  const components = {
    securitySchemes: SECURITY_SCHEMES,
    parameters: { Project: PROJECT },
    responses: {},
    schemas: {},
  };
  document.components = components;
  document.tags = TAG_DESCRIPTIONS;
  document.paths = Object.fromEntries(
    Object.entries(document.paths)
      .map(([path, methods]) => [path.replace("{*}", "{path}"), methods] as const)
      .sort(([a], [b]) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1)),
  );
  const ids = new Set<string>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      finish(operation, path, method, components.responses);
      if (ids.has(operation.operationId)) throw new TypeError(`two operations are ${operation.operationId}`);
      ids.add(operation.operationId);
    }
  }
  typeEnums(document);
  hoistSchemas(document.paths, components.schemas);
  hoistSchemas(components.responses, components.schemas);
  return document;
}

function finish(
  operation: Operation,
  path: string,
  method: string,
  responses: Record<string, Response>,
): void {
  operation.operationId = operationId(method, path);
  operation.tags = [tagOf(path)];
  const roles = operation["x-roles"];
  operation.security = roles === undefined ? [] : securityOf(roles);
  if (roles !== undefined)
    operation.description = [operation.description, `Roles: ${roles.join(", ")}.`].filter(Boolean).join(" ");
  const parameters = (operation.parameters ?? []).map((parameter) =>
    parameter.name === "*" ? { ...parameter, name: "path" } : parameter,
  );
  // A reference has nothing else beside it (OpenAPI 3.1 §4.8.23).
  const project = { $ref: "#/components/parameters/Project" } as Parameter;
  operation.parameters = roles === undefined ? parameters : [...parameters, project];
  for (const [status, response] of Object.entries(operation.responses)) {
    if (response.description === "Default Response") response.description = STATUS_CODES[status] ?? status;
    if (response.content === undefined || Object.keys(response.content).join() !== PROBLEM_MEDIA_TYPE)
      continue;
    responses.Problem = response;
    operation.responses[status] = { $ref: "#/components/responses/Problem" } as Response;
  }
}

/** By the path alone, so that it stays as long as the path does: `GET /artifacts/{digest}` is `getArtifactsByDigest`. */
function operationId(method: string, path: string): string {
  const words = path
    .replaceAll(/\{(\w+)\}/g, "-by-$1")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${method}${words.join("")}`;
}

/** Says of the values that a schema lists what they are: JSON Schema needs it not, generators do. */
function typeEnums(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  for (const value of Object.values(part)) typeEnums(value);
  const schema: Schema = part;
  if (
    Array.isArray(schema.enum) &&
    schema.type === undefined &&
    schema.enum.every((one) => typeof one === "string")
  )
    schema.type = "string";
}
