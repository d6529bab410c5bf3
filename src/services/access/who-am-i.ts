import type { ProjectName } from "../../identity/project-name.ts";
import type { Caller, Role } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

/** A caller as the service sees it. */
export interface CallerSummary {
  /** What events name it. */
  readonly caller: string;
  readonly name: string;
  readonly project: ProjectName;
  readonly roles: readonly Role[];
  readonly policies: readonly string[];
  readonly mayChoosePolicy: boolean;
  /** The AccessPolicy that takes it, and the number of its rule in it, from 1; null for a token of ours and for an agent. */
  readonly rule: { readonly policy: string; readonly number: number } | null;
}

export async function whoAmI(
  { projects }: Pick<Vouchsafe, "projects">,
  caller: Caller,
): Promise<CallerSummary> {
  const { token, name, project, roles, policies, mayChoosePolicy, rule = null } = caller;
  return {
    caller: token,
    name,
    project: await projects.nameOf(project),
    roles,
    policies,
    mayChoosePolicy,
    rule,
  };
}
