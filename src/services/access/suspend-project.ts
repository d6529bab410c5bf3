import { type EventType, INSTALLATION, PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import type { Receipt } from "../../custody/receipt.ts";
import { readHead } from "../../db/log.ts";
import { suspendedProjects } from "../../db/projects.ts";
import { VouchsafeError } from "../../errors.ts";
import { type ProjectName, parseProjectName } from "../../identity/project-name.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

/** Which project, and why: it stands in the project's log. */
export interface SuspensionRequest {
  readonly name: string;
  readonly reason: string;
}

export interface SuspensionChange {
  readonly name: ProjectName;
  readonly receipt: Receipt;
}

/**
 * Stops a project and loses nothing of it: from the commit of this event on nothing of it is allowed or granted, and each
 * node that has heard of it refuses all credentials of the project. The sweep (`identities/keep-sweeping.ts`) takes its live identities back.
 *
 * A crash after the event leaves a node that reads it when it starts again.
 *
 * @throws VouchsafeError `invalid-request` for `default`, whose operators could not resume it; `not-found`; `conflict` where it is suspended
 */
export async function suspendProject(
  v: Vouchsafe,
  caller: Pick<Caller, "token">,
  request: SuspensionRequest,
): Promise<SuspensionChange> {
  return change(v, caller, request, {
    type: "project.suspended",
    // So that nothing which happens in the project meanwhile can hold it up.
    restsOn: [],
    refuse(isSuspended, project) {
      if (project === v.project)
        throw new VouchsafeError("invalid-request", "default cannot be suspended: nobody could resume it");
      if (isSuspended)
        throw new VouchsafeError("conflict", `The project ${request.name} is suspended already`);
    },
  });
}

/**
 * Lets a project go on where it was: its credentials, policies and evidence count again. Identities that were taken back are not.
 *
 * @throws VouchsafeError `not-found`; `conflict` where it is not suspended
 */
export async function resumeProject(
  v: Vouchsafe,
  caller: Pick<Caller, "token">,
  request: SuspensionRequest,
): Promise<SuspensionChange> {
  return change(v, caller, request, {
    type: "project.resumed",
    restsOn: [PROJECT_CHAIN],
    refuse(isSuspended) {
      if (!isSuspended) throw new VouchsafeError("conflict", `The project ${request.name} is not suspended`);
    },
  });
}

interface Change {
  readonly type: Extract<EventType, "project.suspended" | "project.resumed">;
  readonly restsOn: readonly (typeof PROJECT_CHAIN)[];
  readonly refuse: (isSuspended: boolean, project: ProjectId) => void;
}

async function change(
  v: Vouchsafe,
  { token: caller }: Pick<Caller, "token">,
  { name: asked, reason }: SuspensionRequest,
  { type, restsOn, refuse }: Change,
): Promise<SuspensionChange> {
  const { kysely } = v.database;
  const name = parseProjectName(asked);
  const project = await v.projects.find(name);
  if (project === undefined) throw new VouchsafeError("not-found", `There is no project ${name}`);
  try {
    const { committed } = await appendFresh(v, async () => {
      const { size: asOf } = await readHead(kysely);
      refuse((await suspendedProjects(kysely)).includes(project), project);
      const events = [{ type, about: [PROJECT_CHAIN], body: { reason, caller } }];
      return { proposal: { project, turnOf: INSTALLATION, asOf, restsOn, events } };
    });
    return { name, receipt: onlyEvent(committed).receipt };
  } finally {
    // A node does not read back what it committed, be it that nobody could be told of the commit.
    await v.suspended.refresh(true);
  }
}
