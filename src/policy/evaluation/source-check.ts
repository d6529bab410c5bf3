import type { Facts } from "../facts.ts";
import type { SourceRule } from "../policy.ts";
import type { Check } from "../types.ts";
import { checkMatch, shown, shownList } from "./check-text.ts";

/** Where the build came from, which provenance and certificate say, and may not say differently. */
export function checkSource(rule: SourceRule | undefined, facts: Facts): Check[] {
  const { repositories, refs, versionedTags, commits } = rule ?? {};
  const { repository, ref, commit } = facts.source;
  return [
    ...(repositories === undefined ? [] : [checkMatch("source.repository", repositories, repository)]),
    ...(refs === undefined ? [] : [checkMatch("source.ref", refs, ref)]),
    ...(versionedTags === undefined ? [] : [checkMatch("source.versionedTag", versionedTags, ref)]),
    ...(commits === undefined ? [] : [checkCommit(commits, commit)]),
    ...checkAgreement(facts),
  ];
}

function checkCommit(commits: readonly string[], commit: string | undefined): Check {
  return {
    check: "source.commit",
    passed: commit !== undefined && commits.includes(commit),
    expected: shownList(commits),
    actual: shown(commit),
  };
}

export function checkAgreement({ contradictions }: Facts): Check[] {
  return [
    {
      check: "source.agreement",
      passed: contradictions.length === 0,
      expected: "provenance and certificate name one source",
      actual: contradictions.length === 0 ? "no contradiction" : shownList(contradictions),
    },
  ];
}
