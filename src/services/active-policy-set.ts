import type { ProjectId } from "../custody/events.ts";
import { activePolicies } from "../db/activations.ts";
import type { PolicySet } from "../policy/load.ts";
import type { Vouchsafe } from "./context.ts";

/** The policies that the log says are in force now; undefined where none ever were. */
export async function activePolicySet(
  { database, documents }: Pick<Vouchsafe, "database" | "documents">,
  project: ProjectId,
): Promise<PolicySet | undefined> {
  const active = await activePolicies(database.kysely, project);
  return active && documents.policies(project, active.document);
}
