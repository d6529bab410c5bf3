import type { ProjectId } from "../../custody/events.ts";
import type { Database } from "../../db/connection.ts";
import { listProjects, type Project, projectById, projectByName } from "../../db/projects.ts";
import { VouchsafeError } from "../../errors.ts";
import { DEFAULT_PROJECT, type ProjectName } from "../../identity/project-name.ts";

/** The installation's projects. What is found is remembered: a project keeps its id and its name for ever. */
export interface ProjectDirectory {
  /** @throws VouchsafeError `internal` for an id that no project has */
  nameOf(id: ProjectId): Promise<ProjectName>;
  find(name: ProjectName): Promise<ProjectId | undefined>;
  /** All of them, read anew. */
  all(): Promise<readonly Project[]>;
}

export function createProjectDirectory(database: Database, own: Project): ProjectDirectory {
  const { kysely } = database;
  const names = new Map<ProjectId, ProjectName>([[own.id, own.name]]);
  const ids = new Map<ProjectName, ProjectId>([[DEFAULT_PROJECT, own.id]]);

  function remember(project: Project): Project {
    names.set(project.id, project.name);
    ids.set(project.name, project.id);
    return project;
  }

  return {
    async nameOf(id) {
      const known = names.get(id);
      if (known !== undefined) return known;
      const found = await projectById(kysely, id);
      if (found === undefined) throw new VouchsafeError("internal", `There is no project ${id}`);
      return remember(found).name;
    },
    async find(name) {
      const known = ids.get(name);
      if (known !== undefined) return known;
      const found = await projectByName(kysely, name);
      return found && remember(found).id;
    },
    async all() {
      return (await listProjects(kysely)).map(remember);
    },
  };
}
