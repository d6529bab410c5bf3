import { registeredTo } from "../../policy/workload-policy.ts";
import { activePolicySet } from "../active-policy-set.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { requesterOf } from "../identities/requester.ts";

/** What an agent has to know of a workload policy to attest what it asks for. */
export interface Registration {
  readonly workload: string;
  /** Patterns, each of which must match one of a workload's selectors. */
  readonly selectors: readonly string[];
  /** By component, the paths of its files. */
  readonly files: Readonly<Record<string, readonly string[]>>;
}

/**
 * The workload policies under which the caller may ask, as far as they ask for files. Which others there are, and by
 * which policies anything is judged, is not for agents.
 *
 * @throws VouchsafeError `forbidden`
 */
export async function listRegistrations(v: Vouchsafe, caller: Caller): Promise<readonly Registration[]> {
  const requester = requesterOf(caller);
  const policySet = await activePolicySet(v, caller.project);
  return registeredTo(policySet, requester).flatMap(({ name, spec }) => {
    const files = [...spec.components].flatMap(([component, { files }]) =>
      files === undefined ? [] : [[component, files] as const],
    );
    if (files.length === 0) return [];
    return {
      workload: name,
      selectors: spec.selectors.map(({ text }) => text),
      files: Object.fromEntries(files),
    };
  });
}
