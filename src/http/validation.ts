import type { FastifySchemaCompiler, FastifySchemaValidationError } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";

/**
 * Checks a part of a request against its schema, and takes it as it is or not at all: no value is converted, no
 * default filled in, no member left out. What else a text may stand for is the route's to say.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const validator = Compile(schema);
  return (value: unknown) => (validator.Check(value) ? { value } : { error: validator.Errors(value) });
};

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
  return errors
    .filter(({ keyword }) => keyword !== "additionalProperties")
    .slice(0, MAX_REPORTED)
    .map(({ keyword, instancePath, message }) => ({
      path: `${context ?? "body"}${instancePath}`.slice(0, MAX_PATH_LENGTH),
      message: keyword === "boolean" ? "is not a known member" : (message ?? "is not valid"),
    }));
}
