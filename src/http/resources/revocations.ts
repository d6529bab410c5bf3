import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { listRevokedIdentities } from "../../services/identities/revoked-identities.ts";
import {
  listRevocations,
  previewRevocation,
  readRevocation,
  revokeEvidence,
  withdrawRevocation,
} from "../../services/incidents/revocations.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import {
  closed,
  Digest,
  EventId,
  LogSize,
  named,
  nullable,
  PAGE,
  Reason,
  Receipt,
  SpiffeId,
  TakenBack,
  Time,
} from "../schemas.ts";
import { AskedRevocation, RevocationTarget } from "./targets.ts";

const DEFAULT_PAGE = 50;

export const Revocation = closed({
  id: Type.String(),
  target: RevocationTarget,
  reason: Type.String(),
  index: LogSize,
  withdrawnIndex: nullable(LogSize),
});

const RevokedIdentity = closed({
  kind: Type.Enum(["x509", "jwt"]),
  serial: Type.String({ description: "serial number in hex, or the JWT's jti" }),
  spiffeId: Type.String(),
  workload: Type.String(),
  requester: Type.String(),
  digests: Type.Array(Type.String()),
  reasons: Type.Array(Type.String(), { description: "codes of denials" }),
  cause: nullable(LogSize),
  revokedAt: Time,
  expiresAt: Time,
  index: LogSize,
});

const Turned = Type.Array(closed({ digest: Type.String(), policies: Type.Array(Type.String()) }));

export const Falls = named(
  "Falls",
  closed(
    {
      artifacts: Turned,
      identities: Type.Array(
        closed({
          kind: Type.Enum(["x509", "jwt"]),
          serial: Type.String(),
          spiffeId: Type.String(),
          requester: Type.String(),
          expiresAt: Time,
        }),
      ),
      workloads: Type.Array(
        closed({
          spiffeId: Type.String(),
          workload: Type.String(),
          requester: Type.String(),
          digests: Type.Array(Type.String()),
        }),
      ),
      gains: Turned,
      totals: closed({ artifacts: LogSize, identities: LogSize, workloads: LogSize, gains: LogSize }),
      truncated: Type.Boolean({ description: "there are more than the 1,000 of each kind that are named" }),
      complete: Type.Boolean({
        description: "false where the totals are too small: there was no time to count",
      }),
    },
    "The artifacts that pass no longer, the live identities that rest on them, and who holds those; and the artifacts that pass only now, for the evidence spoke against them",
  ),
);

export function revocationRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/revocations",
    {
      config: { access: ["operator", "auditor", "issuer"] },
      schema: {
        summary:
          "The revocations of evidence that stand, and a page of the identities that were revoked and have not expired, newest first",
        querystring: closed({
          digest: Type.Optional(Digest),
          spiffeId: Type.Optional(SpiffeId),
          kind: Type.Optional(Type.Enum(["x509", "jwt"])),
          ...PAGE,
        }),
        ...answers({
          200: closed({
            revocations: Type.Array(Revocation),
            identities: Type.Array(RevokedIdentity),
            next: nullable(Type.String()),
          }),
        }),
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { limit, ...query } = request.query;
      return {
        ...(await listRevocations(v, caller)),
        ...(await listRevokedIdentities(v, caller, {
          ...query,
          limit: limit === undefined ? DEFAULT_PAGE : Number(limit),
        })),
      };
    },
  );

  app.get(
    "/revocations/:id",
    {
      config: { access: ["operator", "auditor", "issuer"] },
      schema: {
        summary: "A revocation, whether or not it still stands",
        params: closed({ id: EventId }),
        ...answers({ 200: Revocation }),
      },
    },
    async (request) => readRevocation(v, callerOf(request), request.params.id),
  );

  app.post(
    "/revocations",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "Have evidence count for nothing from now on, and say what falls with it",
        body: closed({
          target: AskedRevocation,
          reason: Reason,
          dryRun: Type.Optional(Type.Boolean({ description: "say what would fall, and revoke nothing" })),
        }),
        ...answers({
          200: closed({ target: RevocationTarget, falls: Falls }, "With dryRun"),
          201: closed({
            ...Revocation.properties,
            receipt: Receipt,
            falls: nullable(Falls),
          }),
        }),
      },
    },
    async (request, reply) => {
      const { dryRun, ...asked } = request.body;
      if (dryRun === true) return previewRevocation(v, callerOf(request), asked);
      return reply.code(201).send(await revokeEvidence(v, callerOf(request), asked));
    },
  );

  app.post(
    "/revocations/:id/withdraw",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "End a revocation: the evidence counts again",
        params: closed({ id: EventId }),
        body: closed({ reason: Reason }),
        ...answers({ 200: TakenBack }),
      },
    },
    async (request) => withdrawRevocation(v, callerOf(request), { ...request.params, ...request.body }),
  );
}
