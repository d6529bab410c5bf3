/**
 * Legal holds, retention classes, and the one door by which the bytes of evidence can go: a row of `expirations`, which
 * needs its event and gives way to holds. The triggers hold for every role, the owner's and a superuser's among them,
 * until somebody takes them off.
 */
export const sql = `
create table holds (
  project_id uuid not null,
  id uuid not null,
  artifact text not null,
  reason text not null,
  index bigint not null,
  primary key (project_id, id)
);
create index holds_by_artifact on holds (project_id, artifact);

create table hold_releases (
  project_id uuid not null,
  id uuid not null,
  index bigint not null,
  primary key (project_id, id)
);

create table retention_classes (
  project_id uuid not null,
  artifact text not null,
  class text not null,
  index bigint not null,
  primary key (project_id, artifact)
);

create table expirations (
  project_id uuid not null,
  attestation text not null,
  index bigint not null,
  primary key (project_id, attestation)
);

-- The other artifacts that any verdict of an artifact has ever rested on: their evidence is needed to judge it again.
create table verdict_grounds (
  project_id uuid not null,
  artifact text not null,
  ground text not null,
  primary key (project_id, artifact, ground)
);
create index verdict_grounds_by_ground on verdict_grounds (project_id, ground, artifact);

-- A body's JSON, for what is no attacker's text: Postgres's has no NUL.
create function vouchsafe_body(body bytea) returns json language sql immutable as
  $$ select replace(convert_from(body, 'UTF8'), '\\u0000', '\\ufffd')::json $$;

insert into verdict_grounds
select distinct e.project_id, judged.value ->> 'digest', ground.value
from log_entries e,
     json_array_elements(vouchsafe_body(e.body) -> 'artifacts') as judged,
     json_array_elements_text(vouchsafe_body(e.body) -> 'restsOn') as ground
where e.type in (6, 7);

-- Whether the log's entry at an index is of this type and says this of that member.
create function vouchsafe_is_logged(project uuid, at bigint, event smallint, member text, value text) returns boolean
  language sql stable set search_path = public, pg_temp as $$
  select exists (
    select from log_entries e
    where e.index = at and e.project_id = project and e.type = event and vouchsafe_body(e.body) ->> member = value
  ) $$;

create function vouchsafe_is_held(project uuid, evidence text) returns boolean
  language sql stable set search_path = public, pg_temp as $$
  select exists (
    select from attestation_subjects s
    join holds h on h.project_id = s.project_id and h.artifact in (
      select s.digest
      union all
      select g.artifact from verdict_grounds g where g.project_id = s.project_id and g.ground = s.digest
    )
    where s.project_id = project and s.attestation = evidence and not exists (
      select from hold_releases r where r.project_id = h.project_id and r.id = h.id
    )
  ) $$;

-- A hold stands until the log says that it was released.
create function vouchsafe_release_hold() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if not vouchsafe_is_logged(new.project_id, new.index, 27::smallint, 'id', new.id::text) then
    raise exception 'the log does not say that hold % was released', new.id using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$;

-- By the owner's rights: nobody else may change evidence, and the owner only so (vouchsafe_keep_evidence).
create function vouchsafe_expire() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update evidence set bytes = null where project_id = new.project_id and id = new.attestation;
  if not found then
    raise exception 'there is no evidence %', new.attestation using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

create function vouchsafe_keep_evidence() returns trigger language plpgsql set search_path = public, pg_temp as $$
declare expired bigint;
begin
  if old.bytes is null or new.bytes is not null
    or (new.project_id, new.id, new.media_type, new.index)
       is distinct from (old.project_id, old.id, old.media_type, old.index) then
    raise exception 'UPDATE of evidence is refused: only its bytes can go' using errcode = 'insufficient_privilege';
  end if;
  select x.index into expired from expirations x where x.project_id = old.project_id and x.attestation = old.id;
  if expired is null or not vouchsafe_is_logged(old.project_id, expired, 29::smallint, 'attestation', old.id) then
    raise exception 'the log does not say that evidence % has expired', old.id using errcode = 'insufficient_privilege';
  end if;
  if vouchsafe_is_held(old.project_id, old.id) then
    raise exception 'a hold keeps evidence %', old.id using errcode = 'object_in_use';
  end if;
  return new;
end $$;

alter table evidence alter column bytes drop not null;
drop trigger append_only on evidence;
create trigger append_only before delete or truncate on evidence
  for each statement execute function vouchsafe_refuse_change();
create trigger kept before update on evidence
  for each row execute function vouchsafe_keep_evidence();
-- After the whole statement that wrote it, so that its event is there to be seen.
create trigger expires after insert on expirations for each row execute function vouchsafe_expire();
create trigger released after insert on hold_releases for each row execute function vouchsafe_release_hold();

create trigger append_only before update or delete or truncate on holds
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on hold_releases
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on expirations
  for each statement execute function vouchsafe_refuse_change();
create trigger append_only before update or delete or truncate on verdict_grounds
  for each statement execute function vouchsafe_refuse_change();
`;
