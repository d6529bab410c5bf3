import type { Kysely } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Schema } from "./schema.ts";

export interface Project {
  readonly id: ProjectId;
  readonly name: string;
  readonly createdAt: number;
}

export async function projectByName(db: Kysely<Schema>, name: string): Promise<Project | undefined> {
  const row = await db.selectFrom("projects").selectAll().where("name", "=", name).executeTakeFirst();
  return row === undefined ? undefined : projectOf(row);
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
  return { id: row.id as ProjectId, name: row.name, createdAt: row.created_at };
}
