import type { Projector } from "./rows.ts";

/** A name that is taken makes the database refuse the row, and the event with it. */
export const projectCreation: Projector = ({ project, time, draft: { body } }, rows) => {
  rows.projects.push({ id: project, name: body.name, created_at: time });
};
