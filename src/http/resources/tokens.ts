import { Type } from "typebox";
import type { Authenticator } from "../../services/access/authenticator.ts";
import { createToken, listTokens, revokeToken } from "../../services/access/tokens.ts";
import { ROLES } from "../../services/caller.ts";
import type { Vouchsafe } from "../../services/context.ts";
import type { App } from "../app.ts";
import { type Access, callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, line, nullable, PolicyName, Time } from "../schemas.ts";

const OPERATORS: Access = ["operator"];
const YEAR = 31_536_000;
const RoleName = Type.Enum([...ROLES]);

export function tokenRoutes(app: App, v: Vouchsafe, authenticator: Authenticator): void {
  app.post(
    "/tokens",
    {
      config: { access: OPERATORS },
      schema: {
        summary: "Make a bearer token. Its text is in this answer and nowhere else",
        body: closed({
          name: line(200),
          roles: Type.Array(RoleName, { minItems: 1, maxItems: ROLES.length, uniqueItems: true }),
          policies: Type.Optional(Type.Array(PolicyName, { maxItems: 64, uniqueItems: true })),
          mayChoosePolicy: Type.Optional(Type.Boolean()),
          expiresIn: Type.Optional(
            Type.Integer({ minimum: 1, maximum: YEAR, description: "seconds; 30 days if absent" }),
          ),
        }),
        ...answers({ 201: closed({ id: Type.String(), token: Type.String(), expiresAt: Time }) }),
      },
    },
    async (request, reply) => reply.code(201).send(await createToken(v, callerOf(request), request.body)),
  );

  app.get(
    "/tokens",
    {
      config: { access: OPERATORS },
      schema: {
        summary: "The project's tokens, without their secrets",
        ...answers({
          200: closed({
            tokens: Type.Array(
              closed({
                id: Type.String(),
                name: Type.String(),
                roles: Type.Array(RoleName),
                policies: Type.Array(Type.String()),
                mayChoosePolicy: Type.Boolean(),
                createdAt: Time,
                expiresAt: Time,
                revokedAt: nullable(Time),
              }),
            ),
          }),
        }),
      },
    },
    async (request) => ({ tokens: await listTokens(v, callerOf(request)) }),
  );

  app.delete(
    "/tokens/:id",
    {
      config: { access: OPERATORS },
      schema: {
        summary: "Revoke a token: at once on this node, within five seconds on every other",
        params: closed({ id: Type.String({ pattern: "^[0-9a-f]{16}$" }) }),
        ...answers({ 204: Type.Null() }),
      },
    },
    async (request, reply) => {
      await revokeToken(v, callerOf(request), request.params.id);
      authenticator.forget(request.params.id);
      return reply.code(204).send();
    },
  );
}
