import { Type } from "typebox";
import type { Vouchsafe } from "../services/context.ts";
import { readCheckpoint } from "../services/read-log.ts";
import type { App } from "./app.ts";
import { answers } from "./openapi.ts";

const TEXT = "text/plain; charset=utf-8";

/** What anybody may know of the log: nothing in it names a project, an artifact or a caller. */
export function logRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/log/checkpoint",
    {
      config: { access: "public" },
      schema: {
        summary: "The newest checkpoint: a C2SP signed note",
        produces: ["text/plain"],
        ...answers({ 200: Type.String() }),
      },
    },
    async (_request, reply) => reply.type(TEXT).send(await readCheckpoint(v)),
  );

  app.get(
    "/log/key",
    {
      config: { access: "public" },
      schema: {
        summary:
          "The log's verifier key (C2SP signed-note). Get it by another way than the log itself, and compare",
        produces: ["text/plain"],
        ...answers({ 200: Type.String() }),
      },
    },
    async (_request, reply) => reply.type(TEXT).send(`${v.log.verifierKey}\n`),
  );
}
