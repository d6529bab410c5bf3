import { Type } from "typebox";
import { whoAmI } from "../../services/access/who-am-i.ts";
import { ROLES } from "../../services/caller.ts";
import type { Vouchsafe } from "../../services/context.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, nullable } from "../schemas.ts";

export function whoAmIRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/whoami",
    {
      config: { access: ROLES },
      schema: {
        summary: "Who calls, as the server sees it: by which rule, with which roles, in which project",
        ...answers({
          200: closed({
            caller: Type.String({
              description: "what events name it",
              examples: ["oidc:pipelines:repo:acme/widget:ref:refs/heads/main by alice"],
            }),
            name: Type.String(),
            project: Type.String({ examples: ["default"] }),
            roles: Type.Array(Type.Enum([...ROLES])),
            policies: Type.Array(Type.String()),
            mayChoosePolicy: Type.Boolean(),
            rule: nullable(
              closed({
                policy: Type.String({ description: "the AccessPolicy that takes it" }),
                number: Type.Integer({ minimum: 1, description: "of its rule in it" }),
              }),
            ),
          }),
        }),
      },
    },
    async (request) => whoAmI(v, callerOf(request)),
  );
}
