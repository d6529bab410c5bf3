import type { PolicySet } from "./load.ts";

/** What is wrong with a set that passes nothing, as files that were emptied by mistake hold it; undefined where it has a policy. */
export function noPolicyIn({ policies }: Pick<PolicySet, "policies">, where: string): string | undefined {
  if (policies.size > 0) return undefined;
  return `There is no policy in ${where}: everything would be denied. To have that, write one that passes nothing`;
}
