/** Evidence that does not count any more. */
export const sql = `
create table revocations (
  project_id uuid not null,
  id uuid not null,
  target jsonb not null,
  reason text not null,
  revoked_index bigint not null,
  withdrawn_index bigint check (withdrawn_index > revoked_index),
  primary key (project_id, id)
);

-- What a builder's revocation may concern.
create index attestations_by_builder on attestations (project_id, builder) where builder is not null;
`;
