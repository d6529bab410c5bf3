import type { LogEntry } from "../../custody/log-store.ts";
import type { Projection, Projector } from "./rows.ts";

/** A name that is taken makes the database refuse the row, and the event with it. */
export const projectCreation: Projector = ({ project, time, draft: { body } }, rows) => {
  rows.projects.push({ id: project, name: body.name, created_at: time });
};

export const suspendProject: Projector = (entry, rows) => setSuspended(true, entry, rows);
export const resumeProject: Projector = (entry, rows) => setSuspended(false, entry, rows);

function setSuspended(suspended: boolean, { project, index, draft }: LogEntry, rows: Projection): void {
  rows.suspensions.set(project, { project_id: project, suspended, reason: draft.body.reason, index });
}
