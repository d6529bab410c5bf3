import type { FastifyInstance } from "fastify";
import { VouchsafeError } from "../errors.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/** A path that nothing is at is `not-found`; one that takes other methods is `method-not-allowed` and says which. */
export function answerUnknownRoutes(app: FastifyInstance): void {
  app.setNotFoundHandler(async (request) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const allowed = METHODS.filter((method) => app.findRoute({ method, url: path }) !== null).join(", ");
    if (allowed === "") throw new VouchsafeError("not-found", "No route has this path; see /openapi.json");
    throw new VouchsafeError("method-not-allowed", `This path takes ${allowed}`, {
      extensions: { allow: allowed },
    });
  });
}
