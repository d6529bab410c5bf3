import type { ProjectId } from "../../custody/events.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseProjectName } from "../../identity/project-name.ts";
import type { Vouchsafe } from "../context.ts";

/**
 * The project that a request names, by `Vouchsafe-Project`, for a credential that does not say of which it is; `default` where it
 * names none. Whoever asks learns by no other answer than "refused" that there is none of the name: undefined is to be treated as a project without rules.
 *
 * @throws VouchsafeError `invalid-request` for what no project can be called
 */
export async function findNamedProject(
  { projects, project }: Pick<Vouchsafe, "projects" | "project">,
  named: string | undefined,
): Promise<ProjectId | undefined> {
  return named === undefined ? project : projects.find(parseProjectName(named));
}

/**
 * Refuses a request that names another project than its credential is of: its caller would else believe to act in that one.
 *
 * @throws VouchsafeError `forbidden`, alike whether there is such a project
 */
export async function requireOwnProject(
  { projects }: Pick<Vouchsafe, "projects">,
  named: string | undefined,
  own: ProjectId,
): Promise<void> {
  if (named === undefined || named === (await projects.nameOf(own))) return;
  throw new VouchsafeError(
    "forbidden",
    "The credential is of another project than Vouchsafe-Project names: leave the header out",
  );
}
