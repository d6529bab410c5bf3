import { alternatives } from "./evaluation/check-text.ts";
import { patternText } from "./evaluation/parameters.ts";
import type { ParameterPattern, ParameterRules } from "./policy.ts";

/** What the build may have been given, in words. */
export function parametersText(rules: ParameterRules | undefined): string {
  if (rules === undefined) return "The build was given no parameters.";
  const { require, allow, ignore } = rules;
  const parts = [
    ...(require.size > 0 ? [`was given ${membersText(require)}`] : []),
    ...(allow.size > 0 ? [`may have been given ${membersText(allow)}`] : []),
    ...(ignore.length > 0 ? [`may have been given anything as ${alternatives(ignore)}`] : []),
  ];
  return `The build ${[...parts, "and nothing else"].join("; ")}.`;
}

function membersText(members: ReadonlyMap<string, ParameterPattern>): string {
  return [...members].flatMap(([name, pattern]) => flattened(name, pattern)).join(", ");
}

/** `workflow.ref = refs/tags/v*` and so on. */
function flattened(path: string, pattern: ParameterPattern): string[] {
  if (pattern.case !== "members") return [`${path} = ${patternText(pattern)}`];
  return [...pattern.members].flatMap(([name, member]) => flattened(`${path}.${name}`, member));
}
