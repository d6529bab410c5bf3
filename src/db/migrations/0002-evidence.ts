/** Evidence and documents as received, and what verification found in them. */
export const sql = `
create table evidence (
  project_id uuid not null,
  id text not null,
  media_type text not null,
  bytes bytea not null,
  index bigint not null,
  primary key (project_id, id)
);
-- Signatures and base64 hardly compress: trying to costs more than the disk that it saves.
alter table evidence alter column bytes set storage external;

create table documents (
  project_id uuid not null,
  hash text not null,
  kind text not null check (kind in ('policy', 'trust')),
  bytes bytea not null,
  primary key (project_id, hash)
);

create table attestations (
  project_id uuid not null,
  id text not null,
  index bigint not null,
  media_type text not null,
  predicate_type text,
  signer jsonb not null,
  signer_issuer text,
  signer_identity text not null,
  source_repository text,
  source_ref text,
  source_commit text,
  builder text,
  verified_at bigint not null,
  primary key (project_id, id)
);
create index attestations_by_index on attestations (project_id, index);
create index attestations_by_repository on attestations (project_id, source_repository, index)
  where source_repository is not null;
create index attestations_by_commit on attestations (project_id, source_commit, index)
  where source_commit is not null;
create index attestations_by_signer on attestations (project_id, signer_identity, index);

create table attestation_subjects (
  project_id uuid not null,
  digest text not null,
  attestation text not null,
  name text,
  primary key (project_id, digest, attestation)
);
create index attestation_subjects_by_attestation on attestation_subjects (project_id, attestation);

create table rejections (
  project_id uuid not null,
  digest text not null,
  code text not null,
  trust_hash text not null,
  index bigint not null,
  caller text not null,
  time bigint not null,
  primary key (project_id, digest, code, trust_hash)
);
create index rejections_by_caller on rejections (project_id, caller, time);

create trigger append_only before update or delete or truncate on evidence
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on documents
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on attestations
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on attestation_subjects
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on rejections
  for each statement execute function vouchsafe_refuse_change();
`;
