/**
 * One name for one who has several, so that nobody approves what he built, and nobody counts twice, whoever knows him by it: letter case
 * aside, an account's page is the account, a workflow is the same at every ref, and a job (`oidcCallerName`) is who had it run,
 * or else what its issuer calls it. Where two share a name they are
 * taken for one: of two possible mistakes the one that approves too little.
 */
export function personOf(name: string): string {
  const folded = name.normalize("NFKC").trim().toLowerCase();
  const account = /^https:\/\/(?:github|gitlab)\.com\/([^/@]+)\/?$/.exec(folded)?.[1];
  if (account !== undefined) return account;
  if (folded.startsWith("https://")) return folded.replace(/@.*$/s, "");
  const [, subject, actor] = /^oidc:[^:]*:(.*?)(?: by ([^ ]+))?$/s.exec(folded) ?? [];
  return actor ?? subject ?? folded;
}
