import { canonicalJson, type Digest, groundsAllow, type JsonValue } from "../../in-toto-attestation/index.ts";
import { type Approval, tallyApprovals } from "../../policy/approvals.ts";
import type { PolicySet } from "../../policy/load.ts";
import type { VerificationPolicy } from "../../policy/policy.ts";
import type { Evaluation } from "../../policy/types.ts";
import { type LogEvent, PROJECT_CHAIN } from "../events.ts";
import { refuseUnless } from "../pack/report.ts";
import { holdsArtifact } from "../quarantines.ts";
import { passAgain } from "./evaluate-again.ts";
import type { Standing } from "./standing.ts";

/** The policy set in force. Throws `pack-invalid`. */
export function policiesInForce({ inForce, material }: Standing): PolicySet {
  refuseUnless(inForce.policyDocument !== null, "no policies were in force");
  const policies = material.policies(inForce.policyDocument);
  refuseUnless(policies.hash === inForce.policySet, "the policy set in force has other policies");
  return policies;
}

/** What the artifact's allowance rested on. */
export interface Allowance {
  /** The policies that let it through: those named that are enforced. Empty where all are in audit mode. */
  readonly policies: readonly string[];
  /** Those of them that it passed, and that no exception stood in for. */
  readonly passed: readonly string[];
  /** Indexes of the passing verdicts. */
  readonly verdicts: readonly number[];
  /** When the first of what it rests on ends by time alone. */
  readonly validUntil: number;
}

/**
 * That the artifact was allowed: its project was not suspended, neither it nor what its passes rest on nor one of the policies was quarantined, and under each of
 * these that is enforced its newest verdict passed, does so again, and was approved as the policy asks; or one of these
 * exceptions let it through. Throws `pack-invalid`.
 *
 * @param exceptions ids of those that it rested on; another artifact's do not count here
 */
export function assertAllowed(
  standing: Standing,
  policies: readonly string[],
  at: number,
  exceptions: readonly string[],
): Allowance {
  refuseUnless(groundsAllow(standing.artifact), "a digest of its algorithm lets nothing through");
  refuseUnless(!standing.inForce.isSuspended, "its project was suspended");
  refuseUnless(quarantinedAmong([standing.artifact], standing) === undefined, "the artifact was quarantined");
  refuseUnless(policies.length > 0, "it names no policy");
  const stopped = [...standing.quarantines.values()].find(
    ({ target }) => "policy" in target && policies.includes(target.policy),
  );
  refuseUnless(stopped === undefined, `a policy that it names was quarantined (${stopped?.id})`);
  const { enforced } = byMode(standing, policies);
  const used = exceptions.flatMap((id) => standing.exceptions.get(id) ?? []);
  refuseUnless(
    used.every(({ policy }) => enforced.some(({ name }) => name === policy)),
    "it names an exception to a policy that did not decide",
  );
  const passed: string[] = [];
  const verdicts: number[] = [];
  const ends: number[] = [];
  for (const policy of enforced) {
    const { name } = policy;
    const verdict = standing.verdicts.get(name);
    const beneath = quarantinedAmong(verdict?.restsOn ?? [], standing);
    refuseUnless(beneath === undefined, `${beneath}, which its verdict of ${name} rests on, was quarantined`);
    const exception = used.find((one) => one.policy === name);
    if (exception !== undefined) {
      refuseUnless(at < exception.expiresAt, `the exception ${exception.id} had ended`);
      ends.push(exception.expiresAt);
      continue;
    }
    refuseUnless(verdict?.passed === true, `the artifact had not passed ${name}`);
    const again = passAgain(standing, policy, at, verdict.restsOn);
    refuseUnless(again.outcome === "passed", `evaluated again, ${name} failed`);
    const until = approvedUntil([...standing.approvals.values()], policy, again, at);
    refuseUnless(until !== undefined, `${name} was not approved as it asks`);
    passed.push(name);
    verdicts.push(verdict.index);
    ends.push(until);
  }
  return { policies: enforced.map(({ name }) => name), passed, verdicts, validUntil: Math.min(...ends) };
}

/** Until when a pass lasts, with the approvals that its policy asks for; undefined where there are too few. */
export function approvedUntil(
  approvals: readonly Approval[],
  { name, hash, spec }: VerificationPolicy,
  pass: Evaluation,
  at: number,
): number | undefined {
  const { validUntil = Number.POSITIVE_INFINITY } = pass;
  if (spec.approvals === undefined) return validUntil;
  const approvable = { ...pass, policy: name, policyHash: hash };
  const { counted } = tallyApprovals(spec.approvals, approvable, approvals, at);
  const last = counted[spec.approvals.required - 1];
  return last && Math.min(validUntil, last.until);
}

/** The first of these that is quarantined, itself or by a rule. */
export function quarantinedAmong(
  digests: readonly Digest[],
  { quarantines, origins }: Pick<Standing, "quarantines" | "origins">,
): Digest | undefined {
  const open = [...quarantines.values()];
  return digests.find((digest) =>
    open.some(({ target }) => holdsArtifact(target, digest, origins.get(digest) ?? [])),
  );
}

/** The policies in force with these names. Throws `pack-invalid` where there is none of a name. */
export function byMode(standing: Standing, names: readonly string[]) {
  const inForce = policiesInForce(standing);
  const policies = names.map((name) => {
    const policy = inForce.policies.get(name);
    refuseUnless(policy !== undefined, `no policy ${name} was in force`);
    return policy;
  });
  return {
    enforced: policies.filter(({ spec }) => spec.mode === "enforce"),
    audited: policies.filter(({ spec }) => spec.mode === "audit"),
  };
}

/** Throws `pack-invalid` for what stands in one artifact's chain alone: it would hold in no other's file. */
export function refuseUnlessWide({ about }: Pick<LogEvent, "about">): void {
  refuseUnless(about.includes(PROJECT_CHAIN), "it is not one of the project's wide events");
}

export function sameJson(a: JsonValue, b: JsonValue): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
