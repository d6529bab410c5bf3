/**
 * Projects and the custody log. Only `log_head` is ever updated; the triggers stop even the owner in passing,
 * and the grants (`../grants.ts`) stop the application's role before them.
 */
export const sql = `
create table projects (
  id uuid primary key,
  name text not null unique,
  created_at bigint not null
);

create table log_head (
  "only" boolean primary key default true check ("only"),
  size bigint not null check (size >= 0),
  root bytea not null check (length(root) = 32),
  peaks bytea not null check (length(peaks) % 32 = 0),
  time bigint not null,
  checkpoint text not null
);
-- An empty tree's root is the hash of nothing (RFC 6962 section 2.1).
insert into log_head (size, root, peaks, time, checkpoint) values (0, sha256(''), '', 0, '');

create table log_entries (
  index bigint primary key check (index >= 0),
  project_id uuid not null,
  type smallint not null,
  time bigint not null,
  leaf bytea not null,
  leaf_hash bytea not null check (length(leaf_hash) = 32),
  salt bytea not null check (length(salt) = 32),
  body bytea not null
);

create table log_chain (
  project_id uuid not null,
  key text not null,
  index bigint not null,
  primary key (project_id, key, index)
);

create table log_tiles (
  level smallint not null,
  tile bigint not null,
  hashes bytea not null check (length(hashes) = 8192),
  root bytea not null check (length(root) = 32),
  primary key (level, tile)
);

create function vouchsafe_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% of % is refused: it is append-only', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end $$;

create function vouchsafe_head_grows() returns trigger language plpgsql as $$
begin
  if new.size <= old.size or new.time < old.time then
    raise exception 'the log head only grows' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;

create trigger grows before update on log_head for each row execute function vouchsafe_head_grows();
create trigger append_only before delete or truncate on log_head
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on log_entries
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on log_chain
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on log_tiles
  for each statement execute function vouchsafe_refuse_change();
`;
