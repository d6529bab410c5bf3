import { Type } from "typebox";
import { listRegistrations } from "../../services/agents/registrations.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { listIdentities } from "../../services/identities/list-identities.ts";
import { watchIdentities } from "../../services/identities/watch-identities.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import {
  closed,
  Digest,
  LogSize,
  LogSizeText,
  line,
  nullable,
  PAGE,
  PolicyName,
  SpiffeId,
  Time,
} from "../schemas.ts";
import { whenGone } from "../when-gone.ts";

const DEFAULT_PAGE = 50;

export function identityRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/registrations",
    {
      config: { access: ["agent"] },
      schema: {
        summary: "The workload policies that ask for files of the calling agent's workloads",
        querystring: closed({}),
        ...answers({
          200: closed({
            registrations: Type.Array(
              closed({
                workload: Type.String(),
                selectors: Type.Array(Type.String(), { description: "each must match one of a workload's" }),
                files: Type.Record(Type.String(), Type.Array(Type.String()), {
                  description:
                    "paths by component, as the workload sees them; the last segment may be a glob",
                }),
              }),
            ),
          }),
        }),
      },
    },
    async (request) => ({ registrations: [...(await listRegistrations(v, callerOf(request)))] }),
  );

  app.get(
    "/identities",
    {
      config: { access: ["auditor", "operator"] },
      schema: {
        summary: "The identities that were granted, newest first",
        querystring: closed({
          digest: Type.Optional(Digest),
          spiffeId: Type.Optional(SpiffeId),
          serial: Type.Optional(line(200)),
          workload: Type.Optional(PolicyName),
          requester: Type.Optional(line(2048)),
          live: Type.Optional(
            Type.Enum(["true", "false"], {
              description: "true: only those that are neither expired nor revoked",
            }),
          ),
          ...PAGE,
        }),
        ...answers({
          200: closed({
            identities: Type.Array(
              closed({
                kind: Type.Enum(["x509", "jwt"]),
                serial: Type.String({ description: "serial number in hex, or the JWT's jti" }),
                spiffeId: Type.String(),
                workload: Type.String(),
                digests: Type.Array(Type.String()),
                policies: Type.Array(Type.String()),
                requester: Type.String(),
                issuedAt: Time,
                expiresAt: Time,
                index: LogSize,
                revokedIndex: nullable(LogSize),
              }),
            ),
            next: nullable(Type.String()),
          }),
        }),
      },
    },
    async (request) => {
      const { limit, live, ...query } = request.query;
      return listIdentities(v, callerOf(request), {
        ...query,
        live: live === "true",
        limit: limit === undefined ? DEFAULT_PAGE : Number(limit),
      });
    },
  );

  // Whoever watches is answered before the server closes: nobody waits for a watch to run out.
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  app.get(
    "/identities/watch",
    {
      config: { costs: "watch", access: ["agent", "issuer"] },
      schema: {
        summary:
          "Answers when something may have changed for the caller's live identities since the log had `after` events, or after 25 seconds",
        querystring: closed({ after: Type.Optional(LogSizeText) }),
        ...answers({ 200: closed({ asOf: LogSize, touched: Type.Array(Type.String()) }) }),
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      whenGone(reply, () => gone.abort());
      const { after } = request.query;
      const signal = AbortSignal.any([closing.signal, gone.signal]);
      return watchIdentities(v, callerOf(request), after === undefined ? undefined : Number(after), signal);
    },
  );
}
