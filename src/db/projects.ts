import type { Kysely } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { ProjectName } from "../identity/project-name.ts";
import type { Schema } from "./schema.ts";

export interface Project {
  readonly id: ProjectId;
  readonly name: ProjectName;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export async function projectByName(db: Kysely<Schema>, name: string): Promise<Project | undefined> {
  const row = await db.selectFrom("projects").selectAll().where("name", "=", name).executeTakeFirst();
  return row === undefined ? undefined : projectOf(row);
}

export async function projectById(db: Kysely<Schema>, id: ProjectId): Promise<Project | undefined> {
  const row = await db.selectFrom("projects").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : projectOf(row);
}

/** By name; `after`: only those whose name comes after this one. */
export async function listProjects(
  db: Kysely<Schema>,
  { after = "", limit }: { readonly after?: string; readonly limit?: number } = {},
): Promise<Project[]> {
  const page = db.selectFrom("projects").selectAll().where("name", ">", after).orderBy("name");
  return (await (limit === undefined ? page : page.limit(limit)).execute()).map(projectOf);
}

/** Creates the project unless its name is taken, and returns the one that has the name: safe to race. */
export async function createProject(
  db: Kysely<Schema>,
  { id, name, createdAt }: { id: string; name: string; createdAt: number },
): Promise<Project> {
  await db
    .insertInto("projects")
    .values({ id, name, created_at: createdAt })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  return projectOf(
    await db.selectFrom("projects").selectAll().where("name", "=", name).executeTakeFirstOrThrow(),
  );
}

function projectOf(row: { id: string; name: string; created_at: number }): Project {
  return { id: row.id as ProjectId, name: row.name as ProjectName, createdAt: row.created_at };
}
