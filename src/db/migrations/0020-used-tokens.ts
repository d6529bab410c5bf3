/** Tokens of OIDC issuers that are good for one request and were used, until they expire. Nothing of it follows from the log. */
export const sql = `
create table used_tokens (
  -- sha256 of what was signed.
  id text primary key,
  expires_at bigint not null
);
create index used_tokens_by_expiry on used_tokens (expires_at);
`;
