import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { requireReady } from "../../services/log/read-log.ts";
import type { App } from "../app.ts";
import { answers } from "../openapi.ts";
import { closed, LogSize } from "../schemas.ts";

export function healthRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/healthz",
    {
      // Alive is alive, however busy: a restart under load would only make it worse.
      config: { costs: "nothing", access: "public", isProbe: true, pressureHandler: () => undefined },
      schema: { summary: "The process answers", ...answers({ 200: closed({ status: Type.Literal("ok") }) }) },
    },
    async () => ({ status: "ok" }),
  );

  app.get(
    "/readyz",
    {
      config: { costs: "nothing", access: "public", isProbe: true },
      schema: {
        summary: "The node follows the log and may decide; 503 when it does not",
        ...answers({ 200: closed({ status: Type.Literal("ready"), logSize: LogSize }) }),
      },
    },
    async () => ({ status: "ready", logSize: requireReady(v) }),
  );
}
