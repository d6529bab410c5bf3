import { endRow, millisecondsOf, type Projector } from "./rows.ts";

// What an event begins and a later one ends: it stands in between.

export const beginQuarantine: Projector = ({ project, index, draft }, rows) => {
  const { id, artifact, target, reason } = draft.body;
  const row = { project_id: project, id, artifact, target, reason, opened_index: index, lifted_index: null };
  rows.quarantines.set(`${project} ${id}`, row);
};

export const liftQuarantine: Projector = ({ project, index, draft: { body } }, rows) => {
  const row = { project_id: project, id: body.id };
  endRow(rows.quarantines, rows.quarantine_liftings, row, { lifted_index: index });
};

export const beginApproval: Projector = ({ project, index, time, draft }, rows) => {
  const { id, artifact, policy, policyHash, attestations, approver, reason } = draft.body;
  rows.approvals.set(`${project} ${id}`, {
    project_id: project,
    id,
    artifact,
    policy,
    policy_hash: policyHash,
    attestations,
    approver,
    reason,
    granted_at: time,
    granted_index: index,
    withdrawn_index: null,
  });
};

export const withdrawApproval: Projector = ({ project, index, draft: { body } }, rows) => {
  const row = { project_id: project, id: body.id };
  endRow(rows.approvals, rows.approval_withdrawals, row, { withdrawn_index: index });
};

export const beginException: Projector = ({ project, index, draft }, rows) => {
  const { id, artifact, policy, owner, reason, expiresAt } = draft.body;
  rows.exceptions.set(`${project} ${id}`, {
    project_id: project,
    id,
    artifact,
    policy,
    owner,
    reason,
    expires_at: millisecondsOf(String(expiresAt)),
    granted_index: index,
    withdrawn_index: null,
  });
};

export const withdrawException: Projector = ({ project, index, draft: { body } }, rows) => {
  const row = { project_id: project, id: body.id };
  endRow(rows.exceptions, rows.exception_withdrawals, row, { withdrawn_index: index });
};

export const beginRevocation: Projector = ({ project, index, draft }, rows) => {
  const { id, target, reason } = draft.body;
  const row = { project_id: project, id, target, reason, revoked_index: index, withdrawn_index: null };
  rows.revocations.set(`${project} ${id}`, row);
};

export const withdrawRevocation: Projector = ({ project, index, draft: { body } }, rows) => {
  const row = { project_id: project, id: body.id };
  endRow(rows.revocations, rows.revocation_withdrawals, row, { withdrawn_index: index });
};
