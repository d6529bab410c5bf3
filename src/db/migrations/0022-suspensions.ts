/** What the log said last of whether a project may be used; no row: it may. */
export const sql = `
create table suspensions (
  project_id uuid primary key,
  suspended boolean not null,
  reason text not null,
  index bigint not null
);
`;
