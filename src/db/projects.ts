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

export interface ListedProject extends Project {
  /** Why it is suspended, and by which event; null where it is not. */
  readonly suspension: Suspension | null;
}

export interface Suspension {
  readonly reason: string;
  readonly index: number;
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
): Promise<ListedProject[]> {
  const page = db
    .selectFrom("projects")
    .leftJoin("suspensions", "suspensions.project_id", "projects.id")
    .select(["id", "name", "created_at", "suspended", "reason", "index"])
    .where("name", ">", after)
    .orderBy("name");
  const rows = await (limit === undefined ? page : page.limit(limit)).execute();
  return rows.map(({ suspended, reason, index, ...row }) => ({
    ...projectOf(row),
    suspension: suspended === true && reason !== null && index !== null ? { reason, index } : null,
  }));
}

/** Those that are suspended. */
export async function suspendedProjects(db: Kysely<Schema>): Promise<ProjectId[]> {
  const rows = await db
    .selectFrom("suspensions")
    .select("project_id")
    .where("suspended", "=", true)
    .execute();
  return rows.map(({ project_id }) => project_id as ProjectId);
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
