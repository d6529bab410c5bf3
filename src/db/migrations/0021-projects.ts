/** What an agent joins by is used up in its own project: another's cannot be used up from here. */
export const sql = `
alter table agents drop constraint agents_token_key;
alter table agents add constraint agents_token_key unique (project_id, token);
`;
