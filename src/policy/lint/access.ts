import type { AccessPolicy, ClaimRule, SvidRule } from "../access-policy.ts";
import type { Glob } from "../glob.ts";
import { covers } from "../glob-relations.ts";
import type { LintFinding } from "../lint.ts";
import type { PolicySet } from "../load.ts";

/** What rules on callers leave open, and which of them no caller reaches. */
export function accessFindings({ spec }: AccessPolicy, { federations }: PolicySet): LintFinding[] {
  if (spec.case === "svid") {
    const { trustDomain, rules } = spec;
    const message = `no FederatedTrustDomain of these files is of \`${trustDomain}\`: believed where it is the server's own`;
    return [
      ...shadowed(rules, (wide, narrow) => isCovered(wide.spiffeIds, narrow.spiffeIds)),
      ...(federations.has(trustDomain)
        ? []
        : [
            {
              level: "info",
              rule: "own-trust-domain",
              path: ["spec", "svid", "trustDomain"],
              message,
            } as const,
          ]),
    ];
  }
  const { rules, platform } = spec;
  return [
    ...shadowed(rules, coversClaims),
    ...rules.flatMap(({ claims }, index): LintFinding[] => {
      const isByWorkflow = claims.some(({ claim }) => claim === "job_workflow_ref");
      if (
        platform?.name !== "github-actions" ||
        !isByWorkflow ||
        claims.some(({ claim }) => OWNERS.has(claim))
      )
        return [];
      const message = "takes the workflow from wherever it is called: add `repository_owner` to say by whom";
      return [{ level: "warning", rule: "any-caller", path: ["spec", "rules", index, "claims"], message }];
    }),
  ];
}

const OWNERS: ReadonlySet<string> = new Set([
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "sub",
]);

function shadowed<Rule>(
  rules: readonly Rule[],
  isWider: (wide: Rule, narrow: Rule) => boolean,
): LintFinding[] {
  return rules.flatMap((rule, index): LintFinding[] => {
    const earlier = rules.slice(0, index).findIndex((one) => isWider(one, rule));
    if (earlier === -1) return [];
    const message = `never reached: rule ${earlier + 1} takes all that this one takes, and the first one counts`;
    return [{ level: "warning", rule: "shadowed", path: ["spec", "rules", index], message }];
  });
}

function coversClaims(wide: ClaimRule, narrow: ClaimRule): boolean {
  return wide.claims.every(({ claim, values }) =>
    narrow.claims.some((one) => one.claim === claim && isCovered(values, one.values)),
  );
}

function isCovered(wide: SvidRule["spiffeIds"], narrow: readonly Glob[]): boolean {
  return narrow.every((one) => wide.some((glob) => covers(glob, one)));
}
