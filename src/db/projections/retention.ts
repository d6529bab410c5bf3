import type { Projector } from "./rows.ts";

export const projectHold: Projector = ({ project, index, draft }, rows) => {
  const { id, artifact, reason } = draft.body;
  rows.holds.push({ project_id: project, id, artifact, reason, index });
};

export const projectHoldRelease: Projector = ({ project, index, draft: { body } }, rows) => {
  rows.hold_releases.push({ project_id: project, id: body.id, index });
};

export const projectRetentionClass: Projector = ({ project, index, draft }, rows) => {
  const { artifact, class: name } = draft.body;
  rows.retention_classes.set(`${project} ${artifact}`, { project_id: project, artifact, class: name, index });
};

/** With its row the bytes go, in the same transaction (migration 0012). */
export const projectExpiration: Projector = ({ project, index, draft: { body } }, rows) => {
  rows.expirations.push({ project_id: project, attestation: body.attestation, index });
};
