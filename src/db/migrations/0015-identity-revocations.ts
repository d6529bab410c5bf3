/** Identities that were taken back before their end, and whose turn it is to look for them. */
export const sql = `
create table identity_revocations (
  project_id uuid not null,
  kind text not null check (kind in ('x509', 'jwt')),
  -- As in identities.
  serial text not null,
  expires_at bigint not null,
  reasons text[] not null,
  -- The event for which it was decided anew; null where time alone ended what it rested on.
  cause bigint,
  index bigint not null,
  -- Each identity is revoked once, whichever nodes decide so.
  primary key (project_id, kind, serial)
);
create index identity_revocations_by_index on identity_revocations (index);
create index identity_revocations_by_expiry on identity_revocations (expires_at);

create index identities_by_expiry on identities (project_id, expires_at);

create trigger append_only before update or delete or truncate on identity_revocations
  for each statement execute function vouchsafe_refuse_change();

-- One node at a time decides live identities anew, by the database's clock.
create table sweep_lease (
  "only" boolean primary key default true check ("only"),
  holder uuid,
  until timestamptz not null
);
insert into sweep_lease (until) values ('-infinity');

-- The newest revocation list of each issuing authority, by its key's identifier: signed where its key is, served by all
-- nodes. Nothing of it follows from the log, and all of it may be lost: it is signed anew.
create table crls (
  issuer text primary key,
  as_of bigint not null,
  this_update bigint not null,
  next_update bigint not null,
  der bytea not null
);
`;
