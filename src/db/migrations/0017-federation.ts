/**
 * Bundles of other trust domains, as their endpoints gave them. Nothing of it follows from the log, and all of it may be
 * lost: they are fetched again. With whom is federated, the log says.
 */
export const sql = `
create table federated_bundles (
  project_id uuid not null references projects,
  trust_domain text not null,
  -- Hash of the endpoint and the first bundle that the policies name: with another one, everything begins anew.
  relationship text not null,
  -- By the database's clock: from then on the first node to look fetches.
  due_at timestamptz not null,
  bundle text,
  sequence bigint,
  fetched_at bigint,
  trouble text,
  troubled_at bigint,
  primary key (project_id, trust_domain)
);
`;
