import type { FastifySchemaValidationError } from "fastify";

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
