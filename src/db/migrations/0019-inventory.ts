/** Who was ever granted something: one row for all grants to one subject, by one workload policy or issuer, for one requester. */
export const sql = `
create table inventory (
  project_id uuid not null,
  -- sha256 in hex of subject, workload, issuer and requester, joined by line feeds, which none of them holds.
  id text not null,
  -- A SPIFFE ID, or whom an outside issuer says that it granted to.
  subject text not null,
  -- The workload policy; empty where an outside issuer granted.
  workload text not null,
  -- What an outside issuer calls itself; empty where the SVID is ours.
  issuer text not null,
  -- As in identities; of an outside issuer the id of its token.
  requester text not null,
  first_granted bigint not null,
  last_granted bigint not null,
  last_renewed bigint,
  -- When the first X.509-SVID ends: who lives on has renewed by then.
  first_end bigint,
  grants bigint not null,
  -- The newest: when it ends, null where an outside issuer named no end; an SVID's kind and serial; and what it was for.
  expires_at bigint,
  kind text,
  serial text,
  digests text[] not null,
  -- When an outside issuer last said that it took back, or refused, what it had granted before.
  withdrawn_at bigint,
  first_index bigint not null,
  last_index bigint not null,
  primary key (project_id, id)
);
create index inventory_by_index on inventory (project_id, first_index);
create index inventory_by_subject on inventory using hash (subject);
create index inventory_by_digest on inventory using gin (digests);
create index inventory_by_workload on inventory (project_id, workload, first_index);
create index agents_by_spiffe_id on agents (project_id, spiffe_id, expires_at);

insert into inventory
select g.project_id,
       encode(sha256(convert_to(concat_ws(E'\\n', g.spiffe_id, g.workload, '', g.requester), 'UTF8')), 'hex'),
       g.spiffe_id, g.workload, '', g.requester, f.issued_at, l.issued_at, r.issued_at, x.expires_at,
       g.grants, l.expires_at, l.kind, l.serial, l.digests, null, g.first_index, g.last_index
from (
  select i.project_id, i.spiffe_id, i.workload, i.requester, count(*) as grants,
         min(i.index) as first_index, max(i.index) as last_index,
         max(i.index) filter (where e.type = 12) as renewed, min(i.index) filter (where i.kind = 'x509') as first_x509
  from identities i join log_entries e on e.index = i.index
  group by 1, 2, 3, 4
) g
join identities f on f.project_id = g.project_id and f.index = g.first_index
join identities l on l.project_id = g.project_id and l.index = g.last_index
left join identities r on r.project_id = g.project_id and r.index = g.renewed
left join identities x on x.project_id = g.project_id and x.index = g.first_x509;

with decisions as (
  select e.project_id, e.index, e.time, b.body ->> 'decision' = 'allow' as allowed, b.body ->> 'artifact' as artifact,
         b.body ->> 'grantedTo' as subject, b.body ->> 'issuer' as issuer, b.body ->> 'caller' as requester,
         (extract(epoch from (b.body ->> 'expiresAt')::timestamptz) * 1000)::bigint as expires_at
  from log_entries e, lateral (select vouchsafe_body(e.body) as body) b
  where e.type = 10
), granted as (
  select project_id, subject, issuer, requester, count(*) as grants, min(index) as first_index, max(index) as last_index
  from decisions where allowed group by 1, 2, 3, 4
)
insert into inventory
select g.project_id,
       encode(sha256(convert_to(concat_ws(E'\\n', g.subject, '', g.issuer, g.requester), 'UTF8')), 'hex'),
       g.subject, '', g.issuer, g.requester, f.time, l.time, null, null,
       g.grants, l.expires_at, null, null, array[l.artifact],
       (select max(d.time) from decisions d
        where d.project_id = g.project_id and d.subject = g.subject and d.issuer = g.issuer
          and d.requester = g.requester and not d.allowed and d.index > g.last_index),
       g.first_index, g.last_index
from granted g
join decisions f on f.index = g.first_index
join decisions l on l.index = g.last_index;
`;
