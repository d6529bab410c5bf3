/** Approvals and timed exceptions, and what a verdict's evidence says on approval. */
export const sql = `
alter table verdicts add column approvals jsonb;

create table approvals (
  project_id uuid not null,
  id uuid not null,
  artifact text not null,
  policy text not null,
  policy_hash text not null,
  -- What the approved verdict rested on.
  attestations jsonb not null,
  -- Name of the token that gave it.
  approver text not null,
  reason text,
  granted_at bigint not null,
  granted_index bigint not null,
  withdrawn_index bigint check (withdrawn_index > granted_index),
  primary key (project_id, id)
);
create index approvals_standing on approvals (project_id, artifact) where withdrawn_index is null;

create table exceptions (
  project_id uuid not null,
  id uuid not null,
  artifact text not null,
  policy text not null,
  owner text not null,
  reason text not null,
  expires_at bigint not null,
  granted_index bigint not null,
  withdrawn_index bigint check (withdrawn_index > granted_index),
  primary key (project_id, id)
);
create index exceptions_standing on exceptions (project_id, artifact) where withdrawn_index is null;
`;
