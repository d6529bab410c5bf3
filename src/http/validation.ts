import type { FastifyInstance, FastifySchemaCompiler, FastifySchemaValidationError } from "fastify";
import { type TSchema, Type } from "typebox";
import { Compile } from "typebox/compile";

/**
 * Checks a part of a request against its schema, and takes it as it is or not at all: no value is converted, no
 * default filled in, no member left out. What else a text may stand for is the route's to say.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const validator = Compile(schema);
  return (value: unknown) => (validator.Check(value) ? { value } : { error: validator.Errors(value) });
};

/**
 * A route that describes no query string takes none: a parameter that was misspelt, or that another route has, is
 * refused and not ignored. Only probes and documents that anybody may read take what proxies add to them.
 */
export function closeQueryStrings(app: FastifyInstance): void {
  app.addHook("onRoute", (route) => {
    if (route.config?.access === "public" || route.schema?.querystring !== undefined) return;
    route.schema = { ...route.schema, querystring: Type.Object({}, { additionalProperties: false }) };
  });
}

/** A member of the request that is not as documented. */
export interface InvalidMember {
  /** Where: `body`, `querystring`, `params` or `headers`, then a JSON Pointer (RFC 6901). */
  readonly path: string;
  readonly message: string;
}

const MAX_REPORTED = 8;
const MAX_PATH_LENGTH = 200;

/**
 * Says where a request departs from its route's schema and how; never what it held there.
 *
 * TypeBox reports a member that a closed object does not list twice: at the member (`boolean`: its schema is
 * `false`) and at the object. Only the first is kept.
 */
export function invalidMembers(
  errors: readonly FastifySchemaValidationError[],
  context: string | undefined,
): InvalidMember[] {
  return ofNearestBranches(errors)
    .filter(({ keyword }) => keyword !== "additionalProperties")
    .slice(0, MAX_REPORTED)
    .map((error) => ({
      path: `${context ?? "body"}${error.instancePath}`.slice(0, MAX_PATH_LENGTH),
      message: whatIsWrong(error),
    }));
}

/**
 * Of a union, which TypeBox reports with every branch of it: what is wrong in the branches that the value came furthest in,
 * and not that it has the type of others.
 */
function ofNearestBranches(
  errors: readonly FastifySchemaValidationError[],
): readonly FastifySchemaValidationError[] {
  const isOf = (union: FastifySchemaValidationError) => (error: FastifySchemaValidationError) =>
    error.schemaPath.startsWith(`${union.schemaPath}/anyOf/`);
  const union = errors.find((error) => error.keyword === "anyOf" && errors.some(isOf(error)));
  if (union === undefined) return errors;
  const branches = errors.filter(isOf(union));
  const furthest = Math.max(...branches.map(depthOf));
  const nearest = branches.filter((error) => depthOf(error) === furthest);
  const told = nearest.filter(({ keyword }) => keyword !== "type");
  const left = told.length > 0 ? told : nearest;
  return ofNearestBranches(
    errors.filter((error) => error !== union && (left.includes(error) || !branches.includes(error))),
  );
}

function depthOf({ instancePath }: FastifySchemaValidationError): number {
  return instancePath.split("/").length;
}

function whatIsWrong({ keyword, message, params }: FastifySchemaValidationError): string {
  if (keyword === "boolean") return "is not a known member";
  if (keyword === "enum" && Array.isArray(params.allowedValues)) {
    return `must be one of ${params.allowedValues.join(", ")}`;
  }
  return message ?? "is not valid";
}
