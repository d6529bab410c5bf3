/**
 * One name for one who has several, so that nobody approves what he built, and nobody counts twice: letter case
 * aside, an account's page is the account, and a workflow is the same at every ref. Where two share a name they are
 * taken for one: of two possible mistakes the one that approves too little.
 */
export function personOf(name: string): string {
  const folded = name.normalize("NFKC").trim().toLowerCase();
  const account = /^https:\/\/(?:github|gitlab)\.com\/([^/@]+)\/?$/.exec(folded)?.[1];
  if (account !== undefined) return account;
  return folded.startsWith("https://") ? folded.replace(/@.*$/s, "") : folded;
}
