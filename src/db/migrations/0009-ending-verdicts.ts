/** Passes that time will end, by when. */
export const sql = `
create index verdicts_ending on verdicts (project_id, valid_until, artifact)
  where outcome = 'passed' and valid_until is not null;
`;
