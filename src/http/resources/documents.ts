import type { Vouchsafe } from "../../services/context.ts";
import { readDocument } from "../../services/custody/read-document.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers, bytesOf } from "../openapi.ts";
import { closed, Digest } from "../schemas.ts";

export function documentRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/documents/:hash",
    {
      config: { access: ["auditor", "operator"] },
      schema: {
        summary: "A policy document, trust document or manifest that an event names, byte for byte",
        params: closed({ hash: Digest }),
        ...answers({ 200: bytesOf("application/octet-stream", "The document's bytes") }),
      },
    },
    async (request, reply) => {
      const bytes = await readDocument(v, callerOf(request), request.params.hash);
      reply.header("cache-control", "private, max-age=31536000, immutable");
      return reply
        .type("application/octet-stream")
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    },
  );
}
