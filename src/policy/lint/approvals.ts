import { tokenize } from "../glob.ts";
import type { LintFinding } from "../lint.ts";
import { personOf } from "../person.ts";
import type { ApproverRule, PolicySpec } from "../policy.ts";

/** Approvals that so many people cannot give. */
export function approvalFindings({ approvals }: PolicySpec): LintFinding[] {
  if (approvals === undefined) return [];
  const names = approvals.from.map(exactName);
  const people = new Set(names.map((name) => name && personOf(name)));
  if (people.has(undefined) || people.size >= approvals.required) return [];
  const message = `\`from\` takes ${people.size === 1 ? "one person" : `${people.size} people`}: so many approvals are never there`;
  return [{ level: "error", rule: "never-passes", path: ["spec", "approvals", "required"], message }];
}

/** The one name that it takes; undefined where it takes more. */
function exactName(rule: ApproverRule): string | undefined {
  if (rule.case === "key") return rule.name;
  const tokens = tokenize((rule.case === "token" ? rule.name : rule.identity).text);
  const plain = tokens.flatMap((token) => (typeof token === "object" ? [token.plain] : []));
  return plain.length === tokens.length ? plain.join("") : undefined;
}
