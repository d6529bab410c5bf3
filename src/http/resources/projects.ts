import { Type } from "typebox";
import { createOperatorToken, createProject, listProjects } from "../../services/access/projects.ts";
import { resumeProject, suspendProject } from "../../services/access/suspend-project.ts";
import type { Vouchsafe } from "../../services/context.ts";
import type { App } from "../app.ts";
import { callerOf, installation } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, LogSize, nullable, PAGE, Reason, Receipt, Time } from "../schemas.ts";

const ProjectName = Type.String({
  minLength: 1,
  maxLength: 63,
  description: "1 to 63 characters of a-z, 0-9 and dashes, with none at its ends",
});
const ProjectId = Type.String({ description: "the opaque id that its entries in the log bear, a UUID" });
const OperatorToken = closed({ id: Type.String(), token: Type.String(), expiresAt: Time });

export function projectRoutes(app: App, v: Vouchsafe): void {
  app.post(
    "/projects",
    {
      config: { access: installation(["operator"]) },
      schema: {
        summary: "Make a project. The text of its first operator's token is in this answer and nowhere else",
        body: closed({ name: ProjectName }),
        ...answers({
          201: closed({ name: ProjectName, project: ProjectId, token: OperatorToken, receipt: Receipt }),
        }),
      },
    },
    async (request, reply) => reply.code(201).send(await createProject(v, callerOf(request), request.body)),
  );

  app.get(
    "/projects",
    {
      config: { access: installation(["operator"]) },
      schema: {
        summary: "The installation's projects, by name",
        querystring: closed(PAGE),
        ...answers({
          200: closed({
            projects: Type.Array(
              closed({
                name: ProjectName,
                project: ProjectId,
                createdAt: Time,
                suspension: nullable(closed({ reason: Type.String(), index: LogSize })),
              }),
            ),
            next: nullable(Type.String()),
          }),
        }),
      },
    },
    async ({ query: { limit = "50", ...page } }) => listProjects(v, { ...page, limit: Number(limit) }),
  );

  for (const [path, summary, change] of [
    [
      "suspend",
      "Refuse a project's credentials, deny all of it and take its identities back; nothing of it is lost",
      suspendProject,
    ],
    ["resume", "Let a project that is suspended go on where it was", resumeProject],
  ] as const)
    app.post(
      `/projects/:name/${path}`,
      {
        config: { access: installation(["operator"]) },
        schema: {
          summary,
          params: closed({ name: ProjectName }),
          body: closed({ reason: Reason }),
          ...answers({ 200: closed({ name: ProjectName, receipt: Receipt }) }),
        },
      },
      async (request) => change(v, callerOf(request), { ...request.params, ...request.body }),
    );

  app.post(
    "/projects/:name/operator-token",
    {
      config: { access: installation(["operator"]) },
      schema: {
        summary: "Make another token for a project's operators, where they have none that is valid",
        params: closed({ name: ProjectName }),
        ...answers({ 201: OperatorToken }),
      },
    },
    async (request, reply) => reply.code(201).send(await createOperatorToken(v, request.params)),
  );
}
