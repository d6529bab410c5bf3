import type { RevokedIdentities } from "../../custody/revoked-identities.ts";
import { millisecondsOf, type Projector } from "./rows.ts";

export const projectIdentity: Projector = ({ project, index, draft }, rows) => {
  const { kind, serial, spiffeId, workload, digests, policies, requester, keyHash, issuedAt, expiresAt } =
    draft.body;
  rows.identities.push({
    project_id: project,
    kind,
    serial,
    spiffe_id: spiffeId,
    workload,
    digests,
    policies,
    requester,
    key_hash: keyHash,
    issued_at: millisecondsOf(String(issuedAt)),
    expires_at: millisecondsOf(String(expiresAt)),
    index,
  });
};

export const projectIdentityRevocation: Projector = ({ project, index, draft }, rows) => {
  const { identities, reasons, cause } = draft.body as unknown as RevokedIdentities;
  for (const { kind, serial, expiresAt } of identities) {
    rows.identity_revocations.push({
      project_id: project,
      kind,
      serial,
      expires_at: millisecondsOf(expiresAt),
      reasons,
      cause,
      index,
    });
  }
};

export const projectAgent: Projector = ({ project, index, time, draft }, rows) => {
  const { agent, serial, keyHash, token, expiresAt } = draft.body;
  rows.agents.push({
    project_id: project,
    spiffe_id: agent,
    serial,
    key_hash: keyHash,
    token,
    joined_at: time,
    expires_at: millisecondsOf(String(expiresAt)),
    index,
  });
};

export const projectAgentRevocation: Projector = ({ project, index, draft: { body } }, rows) => {
  rows.agent_revocations.push({ project_id: project, spiffe_id: body.agent, index });
};
