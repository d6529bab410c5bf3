import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { readWitnesses } from "../../services/witnessing/read-witnesses.ts";
import type { App } from "../app.ts";
import { answers } from "../openapi.ts";
import { closed, LogSize, nullable } from "../schemas.ts";

const Time = Type.String({ description: "RFC 3339" });

export const LogWitnesses = closed({
  treeSize: LogSize,
  witnessedSize: nullable(LogSize),
  witnesses: Type.Array(
    closed({
      name: Type.String({ description: "as the witness policy names it" }),
      verifierKey: Type.String(),
      size: LogSize,
      cosignedAt: nullable(Time),
      trouble: nullable(closed({ at: Time, what: Type.String() })),
      contradiction: nullable(
        Type.String({ description: "set: nodes that believe it add nothing to the log" }),
      ),
    }),
  ),
});

/** Who watches the log's growth, for anybody who relies on that. */
export function logWitnessRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/log/witnesses",
    {
      config: { access: "public" },
      schema: {
        summary: "The log's witnesses: what each cosigned last, and what the quorum did",
        ...answers({ 200: LogWitnesses }),
      },
    },
    async () => readWitnesses(v),
  );
}
