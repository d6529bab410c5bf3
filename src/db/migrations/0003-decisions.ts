/** What decisions are made from: the current state that follows from the log's events. */
export const sql = `
create table verdicts (
  project_id uuid not null,
  artifact text not null,
  policy text not null,
  policy_hash text not null,
  trust_hash text not null,
  evidence_set text not null,
  outcome text not null check (outcome in ('passed', 'failed')),
  slsa_level smallint not null check (slsa_level between 0 and 4),
  attestations jsonb not null,
  checks jsonb not null,
  valid_until bigint,
  index bigint not null,
  primary key (project_id, artifact, policy)
);

create table quarantines (
  project_id uuid not null,
  id uuid not null,
  artifact text not null,
  reason text not null,
  opened_index bigint not null,
  lifted_index bigint check (lifted_index > opened_index),
  primary key (project_id, id)
);
create index quarantines_open on quarantines (project_id, artifact) where lifted_index is null;

create table active_policies (
  project_id uuid primary key,
  policy_set text not null,
  document text not null,
  index bigint not null
);

create table active_trust (
  project_id uuid primary key,
  trust text not null,
  holding jsonb not null,
  index bigint not null
);
`;
