/** Identities that were granted, the agents that may ask for them, and proofs of theirs that were used. */
export const sql = `
create table agents (
  project_id uuid not null,
  spiffe_id text not null,
  -- Hex. An agent's certificate alone tells whose it is, so a serial is unique in all projects.
  serial text not null unique,
  key_hash text not null,
  -- The join token that it was given for: each holds once. Null for a renewal.
  token text unique,
  joined_at bigint not null,
  expires_at bigint not null,
  index bigint not null,
  primary key (project_id, serial)
);

create table identities (
  project_id uuid not null,
  kind text not null check (kind in ('x509', 'jwt')),
  -- Of an X.509-SVID its serial number in hex, of a JWT-SVID its jti.
  serial text not null,
  spiffe_id text not null,
  workload text not null,
  digests text[] not null,
  policies text[] not null,
  requester text not null,
  key_hash text,
  issued_at bigint not null,
  expires_at bigint not null,
  index bigint not null,
  primary key (project_id, kind, serial)
);
create index identities_by_index on identities (project_id, index);
create index identities_by_digest on identities using gin (digests);
create index identities_by_spiffe_id on identities (project_id, spiffe_id, index);
create index identities_by_requester on identities (project_id, requester, expires_at);

create table agent_requests (
  project_id uuid not null,
  jti text not null,
  expires_at bigint not null,
  primary key (project_id, jti)
);
create index agent_requests_by_expiry on agent_requests (expires_at);

create trigger append_only before update or delete or truncate on agents
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on identities
  for each statement execute function vouchsafe_refuse_change();
`;
