import { VouchsafeError } from "../errors.ts";
import { pathOf, type SpiffeId } from "./spiffe-id.ts";

/** A project's name, as people and SPIFFE IDs spell it. Made only by this file, and read from the database. */
export type ProjectName = string & { readonly __projectName: unique symbol };

/** The installation's own project, which every installation has. */
export const DEFAULT_PROJECT = "default" as ProjectName;

/** What stands for more, or for less, than one tenant. */
const RESERVED = [DEFAULT_PROJECT, "installation", "vouchsafe"];
/** One label of a host's name (RFC 1123 §2.1), so that it can stand in one. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const PROJECTS_PATH = "/project";

/** Throws `VouchsafeError` (`invalid-request`). */
export function parseProjectName(text: string): ProjectName {
  if (NAME.test(text)) return text as ProjectName;
  throw new VouchsafeError(
    "invalid-request",
    "A project's name is 1 to 63 characters of a-z, 0-9 and dashes, with none at its ends",
  );
}

/** The name of a project that is to be made. Throws `VouchsafeError` (`invalid-request`). */
export function parseNewProjectName(text: string): ProjectName {
  const name = parseProjectName(text);
  if (!RESERVED.includes(name)) return name;
  throw new VouchsafeError("invalid-request", `No project can be called ${name}: the name is reserved`);
}

/** The path that the SPIFFE IDs of a project begin with: empty for `default`, whose IDs are all that are no other's. */
export function pathOfProject(project: ProjectName): string {
  return project === DEFAULT_PROJECT ? "" : `${PROJECTS_PATH}/${project}`;
}

/** Whether a SPIFFE ID of our trust domain belongs to the project: each belongs to one at most. */
export function isOfProject(id: SpiffeId, project: ProjectName): boolean {
  const path = pathOf(id);
  if (project !== DEFAULT_PROJECT) return path.startsWith(`${pathOfProject(project)}/`);
  return path !== PROJECTS_PATH && !path.startsWith(`${PROJECTS_PATH}/`);
}
