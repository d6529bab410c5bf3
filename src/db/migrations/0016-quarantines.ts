/** Quarantines by rule, beside those of one artifact. */
export const sql = `
alter table quarantines
  alter column artifact drop not null,
  add column target jsonb,
  add check ((artifact is null) <> (target is null));
create index quarantines_by_rule on quarantines (project_id) where target is not null;
`;
