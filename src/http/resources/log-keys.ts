import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { proveLogKeys, readActiveKeys } from "../../services/log/read-log-keys.ts";
import type { App } from "../app.ts";
import { answers, textOf } from "../openapi.ts";
import { closed, EVENT, LogSize } from "../schemas.ts";

const Hashes = Type.Array(Type.String());

/** Which keys sign the log, for anybody: events about them name no project, no artifact and no caller. */
export function logKeyRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/log/key",
    {
      config: { access: "public" },
      schema: {
        summary:
          "The log's active verifier keys (C2SP signed-note), one a line, newest last. Get them by another way than the log itself, and compare",
        ...answers({ 200: textOf("text/plain", "A verifier key a line") }),
      },
    },
    async (_request, reply) => {
      const keys = await readActiveKeys(v);
      return reply.type("text/plain; charset=utf-8").send(keys.map((key) => `${key}\n`).join(""));
    },
  );

  app.get(
    "/log/keys",
    {
      config: { access: "public" },
      schema: {
        summary:
          "Proof, to who knows one key of the log, of which are active: each was added under one before it",
        ...answers({
          200: closed({
            treeSize: LogSize,
            checkpoint: Type.String(),
            keys: Type.Array(Type.String(), { description: "active verifier keys, newest last" }),
            events: Type.Array(
              closed({
                ...EVENT,
                inclusionProof: Hashes,
                consistencyProof: Type.Optional(
                  Type.Array(Type.String(), {
                    description: "of a retirement: from the checkpoint in its body to this one",
                  }),
                ),
              }),
            ),
          }),
        }),
      },
    },
    async () => proveLogKeys(v),
  );
}
