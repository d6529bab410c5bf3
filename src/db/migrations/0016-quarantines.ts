/** Quarantines by rule, beside those of one artifact; and what policies in audit mode would deny. */
export const sql = `
alter table quarantines
  alter column artifact drop not null,
  add column target jsonb,
  add check ((artifact is null) <> (target is null));
create index quarantines_by_rule on quarantines (project_id) where target is not null;

create table would_denials (
  project_id uuid not null,
  index bigint not null,
  n int not null,
  time bigint not null,
  -- In audit mode: the VerificationPolicy, or the WorkloadPolicy. That, where both are there, would deny because of this.
  policy text,
  workload text,
  artifact text,
  -- The code that the WorkloadPolicy would deny with.
  because text,
  requester text not null,
  count int not null,
  primary key (project_id, index, n)
);
create index would_denials_by_time on would_denials (project_id, time);
create trigger append_only before update or delete or truncate on would_denials
  for each statement execute function vouchsafe_refuse_change();
`;
