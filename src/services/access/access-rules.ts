import type { ProjectId } from "../../custody/events.ts";
import { VouchsafeError } from "../../errors.ts";
import type { JsonObject, JsonValue } from "../../in-toto-attestation/index.ts";
import { type AccessPolicy, claimAt, type Match } from "../../policy/access-policy.ts";
import type { Vouchsafe } from "../context.ts";
import { type FederationRelationship, readRelationships } from "../federation/relationships.ts";
import type { Authenticated } from "./authenticator.ts";
import { findNamedProject } from "./named-project.ts";

/** The access policies of the project that a request names, and what they rest on. */
export interface AccessRules {
  readonly project: ProjectId;
  readonly policies: readonly AccessPolicy[];
  readonly relationships: readonly FederationRelationship[];
}

/** Of a project that is not there as of one without rules: strangers do not learn which there are. */
export async function readAccessRules(
  v: Vouchsafe,
  named: string | undefined,
): Promise<AccessRules | undefined> {
  const project = await findNamedProject(v, named);
  if (project === undefined) return undefined;
  const { policySet, relationships } = await readRelationships(v, project);
  return { project, policies: [...(policySet?.access.values() ?? [])], relationships };
}

/**
 * The caller that the first of these policies makes of the credential. Where none does, what the most telling of them says:
 * that nobody can say now, that no rule takes it, that it does not hold.
 *
 * @param identify undefined where the policy is about other callers
 * @throws VouchsafeError
 */
export async function firstCaller(
  rules: AccessRules | undefined,
  identify: (policy: AccessPolicy, rules: AccessRules) => Promise<Authenticated> | undefined,
  what: string,
): Promise<Authenticated> {
  let refusal: VouchsafeError | undefined;
  for (const policy of rules?.policies ?? []) {
    try {
      const caller = rules && (await identify(policy, rules));
      if (caller !== undefined) return caller;
    } catch (error) {
      if (!(error instanceof VouchsafeError)) throw error;
      if (refusal === undefined || weightOf(error) > weightOf(refusal)) refusal = error;
    }
  }
  throw refusal ?? new VouchsafeError("unauthenticated", `No access rule of the project takes ${what}`);
}

/** What was let in, or will be in a moment, outweighs what is not; of rules that do not take it the nearest does. */
function weightOf({ code, extensions }: VouchsafeError): number {
  if (code === "unauthenticated") return Number.NEGATIVE_INFINITY;
  return code === "no-access-rule" ? -Object.keys(extensions.claims ?? {}).length : 1;
}

/** What a rule makes of a caller of this name. */
export function callerOf(
  { project }: AccessRules,
  policy: AccessPolicy,
  { rule: { roles, policies, mayChoosePolicy }, number }: Extract<Match, { case: "taken" }>,
  name: string,
): Authenticated["caller"] {
  return {
    token: name,
    name,
    project,
    roles,
    policies,
    mayChoosePolicy,
    rule: { policy: policy.name, number },
  };
}

const MAX_SHOWN = 200;

/**
 * Says of which of its own claims a token would have had to say something else. What the rule asks for it does not say: the
 * token may be any stranger's.
 */
export function noRuleTakes(
  claims: JsonObject,
  unmet: Extract<Match, { case: "none" }>["unmet"],
): VouchsafeError {
  const seen = unmet.map(({ claim, path }) => [claim, shown(claimAt(claims, path))] as const);
  const listed = seen.map(([claim, value]) => `${claim} (${value})`).join(", ");
  return new VouchsafeError(
    "no-access-rule",
    `The token holds, and no access rule of the project takes it: the nearest asks for another value of ${listed}`,
    { extensions: { claims: Object.fromEntries(seen) } },
  );
}

function shown(value: JsonValue | undefined): string {
  if (value === undefined) return "absent";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
