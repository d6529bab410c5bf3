/** Agents whose certificates of before an event are no longer taken. */
export const sql = `
create table agent_revocations (
  project_id uuid not null,
  spiffe_id text not null,
  -- Certificates that were recorded before it are revoked; an agent that joins again after it has a new one.
  index bigint not null,
  primary key (project_id, spiffe_id, index)
);

create trigger append_only before update or delete or truncate on agent_revocations
  for each statement execute function vouchsafe_refuse_change();
`;
