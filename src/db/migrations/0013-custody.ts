/** Since which event a verdict of an artifact has rested on another: equivalence as of an older log size. */
export const sql = `
alter table verdict_grounds add column index bigint;
alter table verdict_grounds disable trigger append_only;
update verdict_grounds g set index = first.index
from (
  select e.project_id, judged.value ->> 'digest' as artifact, ground.value as ground, min(e.index) as index
  from log_entries e,
       json_array_elements(vouchsafe_body(e.body) -> 'artifacts') as judged,
       json_array_elements_text(vouchsafe_body(e.body) -> 'restsOn') as ground
  where e.type in (6, 7)
  group by 1, 2, 3
) first
where first.project_id = g.project_id and first.artifact = g.artifact and first.ground = g.ground;
alter table verdict_grounds enable trigger append_only;
alter table verdict_grounds alter column index set not null;
`;
