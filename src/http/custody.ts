import { Type } from "typebox";
import { PACK_MEDIA_TYPE } from "../custody/pack.ts";
import type { Vouchsafe } from "../services/context.ts";
import { exportPack } from "../services/export-pack.ts";
import { readCustody } from "../services/read-custody.ts";
import type { App } from "./app.ts";
import { type Access, callerOf } from "./authentication.ts";
import { answers } from "./openapi.ts";
import { closed, Digest, EVENT, LogSize } from "./schemas.ts";

const AUDITORS: Access = ["auditor", "operator"];

export function custodyRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/custody/:digest",
    {
      config: { access: AUDITORS },
      schema: {
        summary: "An artifact's events in the custody log, in order, each with its proof",
        params: closed({ digest: Digest }),
        ...answers({
          200: closed({
            artifact: Type.String(),
            origin: Type.String(),
            treeSize: LogSize,
            checkpoint: Type.String(),
            events: Type.Array(closed({ ...EVENT, inclusionProof: Type.Array(Type.String()) })),
          }),
        }),
      },
    },
    async (request) => readCustody(v, callerOf(request), request.params.digest),
  );

  app.get(
    "/custody/:digest.pack",
    {
      config: { access: AUDITORS },
      schema: {
        summary: "The same with evidence, policies and trust in one file that verifies offline",
        params: closed({ digest: Digest }),
        produces: [PACK_MEDIA_TYPE],
        ...answers({ 200: Type.Unknown() }),
      },
    },
    async (request, reply) => {
      const digest = request.params.digest;
      const pack = await exportPack(v, callerOf(request), digest);
      const filename = `custody-${digest.replace(":", "-")}.jsonl`;
      reply.header("content-disposition", `attachment; filename="${filename}"`);
      return reply.type(PACK_MEDIA_TYPE).send(Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength));
    },
  );
}
