/** Which artifact holds which, by manifests that were parsed; and what verdicts rest on beside their own artifacts. */
export const sql = `
alter table documents drop constraint documents_kind_check;
alter table documents add constraint documents_kind_check check (kind in ('policy', 'trust', 'manifest'));

create table containment (
  project_id uuid not null,
  contained text not null,
  container text not null,
  index bigint not null,
  primary key (project_id, contained, container)
);
create index containment_by_container on containment (project_id, container);
create index containment_by_index on containment (project_id, contained, index);

create trigger append_only before update or delete or truncate on containment
  for each statement execute function vouchsafe_refuse_change();

alter table verdicts add column rests_on text[] not null default '{}';
-- The log size that it was found at last: evidence logged from there on has not been judged.
alter table verdicts add column as_of bigint not null default 0;
update verdicts set as_of = (select size from log_head);
`;
