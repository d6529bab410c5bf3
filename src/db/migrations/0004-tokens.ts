/** Bearer tokens, by the hash of their secret. */
export const sql = `
create table tokens (
  project_id uuid not null references projects (id),
  id text primary key,
  hash bytea not null unique check (length(hash) = 32),
  name text not null,
  roles text[] not null,
  policies text[] not null,
  may_choose_policy boolean not null,
  created_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint
);
create index tokens_by_project on tokens (project_id, created_at);
`;
