import { Readable } from "node:stream";
import { Type } from "typebox";
import { PACK_MEDIA_TYPE } from "../../custody/pack.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { exportPack } from "../../services/custody/export-pack.ts";
import { readCustody } from "../../services/custody/read-custody.ts";
import { readAsOf } from "../../services/custody/state-as-of.ts";
import type { App } from "../app.ts";
import { type Access, callerOf } from "../authentication.ts";
import { answers, bytesOf } from "../openapi.ts";
import { AsOfText, closed, Digest, Flag, PAGE } from "../schemas.ts";
import { CustodyPage, EventTypes } from "./custody-schemas.ts";

const AUDITORS: Access = ["auditor", "operator"];

export function custodyRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/custody/:digest",
    {
      config: { access: AUDITORS },
      schema: {
        summary: "An artifact's events in the custody log, in order, each with its proof",
        params: closed({ digest: Digest }),
        querystring: closed({
          type: Type.Optional(EventTypes),
          asOf: Type.Optional(AsOfText),
          proofs: Type.Optional(Flag),
          related: Type.Optional(Flag),
          summary: Type.Optional(Flag),
          ...PAGE,
        }),
        ...answers({ 200: CustodyPage }),
      },
    },
    async (request) => {
      const { type, asOf, proofs, related, summary, limit, after } = request.query;
      return readCustody(v, callerOf(request), request.params.digest, {
        proofs: proofs !== "false",
        related: related !== "false",
        summary: summary !== "false",
        ...(type !== undefined && { types: [type].flat() }),
        ...(asOf !== undefined && { asOf: readAsOf(asOf) }),
        ...(limit !== undefined && { limit: Number(limit) }),
        ...(after !== undefined && { after }),
      });
    },
  );

  app.get(
    "/custody/:digest.pack",
    {
      config: { costs: "export", access: AUDITORS },
      schema: {
        summary: "The same with evidence, policies and trust in one file that verifies offline",
        params: closed({ digest: Digest }),
        querystring: closed({ asOf: Type.Optional(AsOfText) }),
        ...answers({ 200: bytesOf(PACK_MEDIA_TYPE, "The custody file: JSON Lines") }),
      },
    },
    async (request, reply) => {
      const { digest } = request.params;
      const { asOf } = request.query;
      const lines = exportPack(v, callerOf(request), digest, asOf === undefined ? asOf : readAsOf(asOf));
      const filename = `custody-${digest.replace(":", "-")}.jsonl`;
      const file = await begun(lines);
      reply.header("content-disposition", `attachment; filename="${filename}"`);
      return reply.type(PACK_MEDIA_TYPE).send(file);
    },
  );
}

/**
 * The lines as a stream whose first line is there, so that what fails before it is answered as any failure is. What fails
 * later breaks the connection off, and so does not look like an end.
 */
async function begun(lines: AsyncGenerator<Uint8Array, void>): Promise<Readable> {
  const first = await lines.next();
  return Readable.from(
    (async function* () {
      if (!first.done) yield first.value;
      yield* lines;
    })(),
  );
}
