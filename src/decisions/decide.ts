import type { Verdict } from "../custody/log-store.ts";
import { groundsAllow } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { type Mode, modeOf, type PolicySpec, type VerificationPolicy } from "../policy/policy.ts";
import type { Check } from "../policy/types.ts";

export interface Quarantine {
  readonly id: string;
  readonly artifact: Digest;
  readonly reason: string;
}

/** A verdict as it stands now. */
export interface StandingVerdict extends Verdict {
  /** Whether there is something to judge that it was made without: evidence about what it rests on, a container. */
  readonly isOvertaken: boolean;
}

/** What decisions need of an active policy. */
export type PolicyInForce = Pick<VerificationPolicy, "hash"> & { readonly spec: Pick<PolicySpec, "mode"> };

/** What is in force in a project: the log alone says so. */
export interface InForce {
  /** Active policies by name. */
  readonly policies: ReadonlyMap<string, PolicyInForce>;
  /** Hash of the active trust snapshot; empty where none is active. */
  readonly trust: string;
  /** Trust hashes under which a pass still holds: the active snapshot's and those that it only added to. */
  readonly holding: ReadonlySet<string>;
}

export interface DecisionInput {
  readonly digest: Digest;
  /** Named by the caller's access rule (or chosen where it may choose), never by the artifact's own claims. */
  readonly policies: readonly string[];
  readonly inForce: InForce;
  readonly verdicts: readonly StandingVerdict[];
  /** Those of the artifact and of all that its verdicts rest on. */
  readonly quarantines: readonly Quarantine[];
}

export type ReasonCode =
  | "verdict-passed"
  | "verdict-failed"
  | "verdict-outdated"
  | "verdict-expired"
  | "no-verdict"
  | "no-policy-named"
  | "unknown-policy"
  | "quarantined"
  | "digest-cannot-ground"
  | "would-deny"
  | "not-enforced"
  | "stale";

export interface Reason {
  readonly code: ReasonCode;
  readonly message: string;
  readonly policy?: string;
  /** The checks that failed, nearest miss first. */
  readonly checks?: readonly Check[];
}

/** A verdict of a policy that was named, with the policy's mode. */
export interface NamedVerdict extends Verdict {
  readonly mode: Mode;
}

export interface Decision {
  readonly digest: Digest;
  readonly decision: "allow" | "deny";
  /** False for an allow that no policy vouches for, because all that were named are in audit mode. */
  readonly enforced: boolean;
  /** Why, and what policies in audit mode would have denied (`would-deny`). */
  readonly reasons: readonly Reason[];
  readonly verdicts: readonly NamedVerdict[];
  /** The passing verdicts of enforced policies that an allow rests on. */
  readonly grounds: readonly Verdict[];
  /** The lowest level that an enforced policy vouches for; 0 when denied. */
  readonly slsaLevel: number;
  readonly validUntil: number | null;
}

/**
 * Decides whether an artifact may be trusted now: neither it nor what its passes rest on is quarantined, at least one
 * policy is named, and each named policy is active and has a passing verdict that is neither outdated nor expired.
 * Everything else is denied, with every reason. A policy in audit mode neither denies nor grounds: the enforced ones
 * decide, and where there are none the allow says that it is not enforced.
 *
 * @param now milliseconds since the epoch
 */
export function decide(input: DecisionInput, now: number): Decision {
  const denials: Reason[] = [];
  const wouldDeny: Reason[] = [];
  const passes: NamedVerdict[] = [];
  if (!groundsAllow(input.digest)) {
    denials.push({
      code: "digest-cannot-ground",
      message: "Only sha256, sha384 and sha512 digests ground an allow",
    });
  }
  for (const { id, reason } of input.quarantines.filter(({ artifact }) => artifact === input.digest)) {
    denials.push({ code: "quarantined", message: `Quarantine ${id}: ${reason}` });
  }
  if (input.policies.length === 0) {
    denials.push({
      code: "no-policy-named",
      message: "The caller's access names no policy that the artifact must pass",
    });
  }
  const withMode = (verdict: StandingVerdict) => ({
    ...verdict,
    mode: modeOf(verdict.policy, input.inForce.policies),
  });
  const verdicts = input.verdicts.filter(({ policy }) => input.policies.includes(policy)).map(withMode);
  for (const policy of input.policies) {
    const verdict = verdicts.find((v) => v.policy === policy);
    const denial = refusal(policy, verdict, input.inForce, now);
    const refusals = denial
      ? [denial]
      : quarantinesBeneath(policy, verdict?.restsOn ?? [], input.quarantines);
    if (modeOf(policy, input.inForce.policies) === "audit") wouldDeny.push(...refusals.map(inAuditMode));
    else denials.push(...refusals);
    if (verdict && refusals.length === 0) passes.push(verdict);
  }

  if (denials.length > 0) return denied(input.digest, [...denials, ...wouldDeny], verdicts);
  const grounds = passes.filter(({ mode }) => mode === "enforce");
  return {
    digest: input.digest,
    decision: "allow",
    enforced: grounds.length > 0,
    reasons: [...passes.map(passed), ...wouldDeny],
    verdicts,
    grounds,
    slsaLevel: grounds.length === 0 ? 0 : Math.min(...grounds.map((v) => v.slsaLevel)),
    validUntil: earliest(grounds.map((v) => v.validUntil)),
  };
}

/** The same for what a grant is made of: an allow that is not enforced vouches for nothing, and is denied. */
export function decideGrant(input: DecisionInput, now: number): Decision {
  const decision = decide(input, now);
  if (decision.enforced) return decision;
  const reason: Reason = {
    code: "not-enforced",
    message: "All policies named are in audit mode: none vouches for the artifact, so nothing is granted",
  };
  const wouldDeny = decision.reasons.filter(({ code }) => code === "would-deny");
  return denied(input.digest, [reason, ...wouldDeny], decision.verdicts);
}

/** A denial that needs no verdicts: for a node that has lost sight of the log. */
export function denyStale(digest: Digest): Decision {
  const reason: Reason = {
    code: "stale",
    message: "This node has not heard from the log for longer than it may",
  };
  return denied(digest, [reason], []);
}

function denied(digest: Digest, reasons: readonly Reason[], verdicts: readonly NamedVerdict[]): Decision {
  return {
    digest,
    decision: "deny",
    enforced: true,
    reasons,
    verdicts,
    grounds: [],
    slsaLevel: 0,
    validUntil: null,
  };
}

function passed({ policy }: Verdict): Reason {
  return { code: "verdict-passed", message: `Policy ${policy} passed`, policy };
}

function inAuditMode(denial: Reason): Reason {
  return { ...denial, code: "would-deny", message: `${denial.message} (in audit mode: not denied)` };
}

/**
 * Whether the verdict was computed from the policy and the trust that are in force, and from all evidence. Trust that
 * was only added to takes no pass away, but may turn a failure.
 */
export function isCurrent(
  verdict: Pick<StandingVerdict, "policy" | "policyHash" | "trustHash" | "outcome" | "isOvertaken">,
  inForce: InForce,
): boolean {
  const { policyHash, trustHash, outcome, isOvertaken } = verdict;
  const trustHolds = outcome === "passed" ? inForce.holding.has(trustHash) : inForce.trust === trustHash;
  return !isOvertaken && inForce.policies.get(verdict.policy)?.hash === policyHash && trustHolds;
}

/** Whether time alone has ended the pass. */
export function hasEnded(
  { outcome, validUntil }: Pick<Verdict, "outcome" | "validUntil">,
  now: number,
): boolean {
  return outcome === "passed" && validUntil !== undefined && validUntil <= now;
}

function refusal(
  policy: string,
  verdict: StandingVerdict | undefined,
  inForce: InForce,
  now: number,
): Reason | undefined {
  if (!inForce.policies.has(policy)) {
    return { code: "unknown-policy", message: `No active policy is named ${policy}`, policy };
  }
  if (!verdict) {
    return {
      code: "no-verdict",
      message: `No verified evidence about this digest was judged by ${policy}`,
      policy,
    };
  }
  if (!isCurrent(verdict, inForce)) {
    const message = `The verdict of ${policy} is older than the policy, the trust roots or the evidence that count now`;
    return { code: "verdict-outdated", message, policy };
  }
  if (verdict.outcome === "failed") {
    const checks = verdict.checks.filter((check) => !check.passed);
    return { code: "verdict-failed", message: `Policy ${policy} failed`, policy, checks };
  }
  if (hasEnded(verdict, now)) {
    return { code: "verdict-expired", message: `The verdict of ${policy} has expired`, policy };
  }
  return undefined;
}

/** What stands for an artifact is denied with it: its container, or the commit that it was built from. */
function quarantinesBeneath(
  policy: string,
  restsOn: readonly Digest[],
  quarantines: readonly Quarantine[],
): Reason[] {
  return quarantines
    .filter(({ artifact }) => restsOn.includes(artifact))
    .map(({ id, artifact, reason }) => {
      const message = `Quarantine ${id} of ${artifact}, which the verdict of ${policy} rests on: ${reason}`;
      return { code: "quarantined", message, policy };
    });
}

function earliest(times: readonly (number | undefined)[]): number | null {
  const ends = times.filter((time) => time !== undefined);
  return ends.length === 0 ? null : Math.min(...ends);
}
