import { randomUUID } from "node:crypto";
import { PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import type { Receipt } from "../../custody/receipt.ts";
import { readHead } from "../../db/log.ts";
import { listProjects as readProjects } from "../../db/projects.ts";
import { hasCode, VouchsafeError } from "../../errors.ts";
import { type ProjectName, parseNewProjectName, parseProjectName } from "../../identity/project-name.ts";
import { embeddedPublicGood } from "../../trust/embedded.ts";
import { createTrust } from "../../trust/snapshot.ts";
import { appendFresh } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { type CreatedToken, createToken } from "./tokens.ts";

export interface CreatedProject {
  readonly name: ProjectName;
  /** The opaque id that its entries in the log bear. */
  readonly project: ProjectId;
  /** Its first operator's: shown once. */
  readonly token: CreatedToken;
  readonly receipt: Receipt;
}

/**
 * Makes a project, which begins with no policies and so denies everything, and believes what a first start believes that
 * is given nothing: Sigstore's public-good instance. What `default` was configured to believe is its own.
 *
 * A crash after the event leaves a project that nobody has a token of: `createOperatorToken` makes one.
 *
 * @throws VouchsafeError `invalid-request` for a name that no project can have; `conflict` for one that is taken
 */
export async function createProject(
  v: Vouchsafe,
  { token: caller }: Pick<Caller, "token">,
  request: { readonly name: string },
): Promise<CreatedProject> {
  const name = parseNewProjectName(request.name);
  if ((await v.projects.find(name)) !== undefined) throw taken(name);
  const project = randomUUID() as ProjectId;
  const trust = createTrust({ sigstore: [embeddedPublicGood()], keys: [] });
  const { committed } = await appendFresh(v, async () => {
    const { size: asOf } = await readHead(v.database.kysely);
    return {
      proposal: {
        project,
        asOf,
        restsOn: [],
        events: [
          { type: "project.created", about: [PROJECT_CHAIN], body: { name, caller } },
          {
            type: "trust.activated",
            about: [PROJECT_CHAIN],
            body: { previous: null, trust: trust.hash, extendsPrevious: false, caller },
          },
        ],
        documents: [{ hash: trust.hash, kind: "trust", bytes: trust.bytes }],
      },
    };
  }).catch((cause: unknown) => {
    throw hasCode(cause, "conflict") ? taken(name, cause) : cause;
  });
  const [created] = committed;
  if (created === undefined) throw new VouchsafeError("internal", "The project was not recorded");
  const token = await createToken(v, { project }, operator("made with the project"));
  return { name, project, token, receipt: created.receipt };
}

/**
 * Another token for a project's operators, for whom the last one is lost or has ended: no caller of the project could make one.
 *
 * @throws VouchsafeError `not-found`
 */
export async function createOperatorToken(
  v: Vouchsafe,
  { name }: { readonly name: string },
): Promise<CreatedToken> {
  const project = await v.projects.find(parseProjectName(name));
  if (project === undefined) throw new VouchsafeError("not-found", `There is no project ${name}`);
  return createToken(v, { project }, operator("made by the installation's operators"));
}

/** By name. */
export async function listProjects(
  v: Vouchsafe,
  page: { readonly after?: string; readonly limit: number },
): Promise<{ readonly projects: readonly object[]; readonly next: string | null }> {
  const found = await readProjects(v.database.kysely, page);
  return {
    projects: found.map(({ id, name, createdAt, suspension }) => ({
      name,
      project: id,
      createdAt: new Date(createdAt).toISOString(),
      suspension,
    })),
    next: found.length < page.limit ? null : (found.at(-1)?.name ?? null),
  };
}

function operator(name: string) {
  return { name, roles: ["operator"], mayChoosePolicy: true } as const;
}

function taken(name: ProjectName, cause?: unknown): VouchsafeError {
  return new VouchsafeError("conflict", `There is a project ${name} already`, { cause });
}
