import type { Verdict } from "../custody/log-store.ts";
import { groundsAllow } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Approval } from "../policy/approvals.ts";
import { type Exception, standingException } from "../policy/exceptions.ts";
import { type Mode, modeOf, type PolicySpec, type VerificationPolicy } from "../policy/policy.ts";
import type { Check } from "../policy/types.ts";
import { type Pass, passByException, passByVerdict, withApprovals } from "./pass.ts";
import { passing } from "./passing.ts";
import { type MetQuarantine, quarantinesBeneath, quarantinesOf } from "./quarantined.ts";

/** A verdict as it stands now. */
export interface StandingVerdict extends Verdict {
  /** Whether there is something to judge that it was made without: evidence about what it rests on, a container. */
  readonly isOvertaken: boolean;
  /** The log size that it was found at last. */
  readonly asOf: number;
}

/** What decisions need of an active policy. */
export type PolicyInForce = Pick<VerificationPolicy, "hash"> & {
  readonly spec: Pick<PolicySpec, "mode" | "approvals">;
};

/** What is in force in a project: the log alone says so. */
export interface InForce {
  /** Active policies by name. */
  readonly policies: ReadonlyMap<string, PolicyInForce>;
  /** Hash of the active trust snapshot; empty where none is active. */
  readonly trust: string;
  /** Trust hashes under which a pass still holds: the active snapshot's and those that it only added to. */
  readonly holding: ReadonlySet<string>;
  /** The log size after the last event that revoked evidence or took that back: older verdicts do not know it. */
  readonly revocationsAsOf: number;
  readonly isSuspended: boolean;
}

export interface DecisionInput {
  readonly digest: Digest;
  /** Named by the caller's access rule (or chosen where it may choose), never by the artifact's own claims. */
  readonly policies: readonly string[];
  readonly inForce: InForce;
  readonly verdicts: readonly StandingVerdict[];
  /** Those of the artifact and of all that its verdicts rest on, and those of policies. */
  readonly quarantines: readonly MetQuarantine[];
  /** Not withdrawn, whatever they are of. */
  readonly approvals: readonly Approval[];
  /** Not withdrawn, whether or not they last. */
  readonly exceptions: readonly Exception[];
}

export type ReasonCode =
  | "verdict-passed"
  | "approved"
  | "approval-missing"
  | "exception"
  | "verdict-failed"
  | "evidence-revoked"
  | "verdict-outdated"
  | "verdict-expired"
  | "no-verdict"
  | "no-policy-named"
  | "unknown-policy"
  | "quarantined"
  | "project-suspended"
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
  /** The exception by which the policy lets the artifact through. `expiresAt` is RFC 3339. */
  readonly exception?: Omit<Exception, "policy" | "expiresAt"> & { readonly expiresAt: string };
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
  /** The exceptions that an allow rests on where policies do not vouch for it. */
  readonly exceptions: readonly Exception[];
  /** The lowest level that an enforced policy vouches for; 0 when denied, or let through by an exception. */
  readonly slsaLevel: number;
  readonly validUntil: number | null;
}

/**
 * Decides whether an artifact may be trusted now: its project is not suspended, neither it nor what its passes rest on nor a policy named is
 * quarantined, at least one policy is named, and each named policy is active and has a passing verdict that is neither outdated nor expired and is
 * approved as the policy asks, or there is an exception to this policy. Everything else is denied, with every reason;
 * approvals never make a failed verdict pass. A policy in audit mode neither denies nor grounds: the enforced ones
 * decide, and where there are none the allow says that it is not enforced.
 *
 * @param now milliseconds since the epoch
 */
export function decide(input: DecisionInput, now: number): Decision {
  const denials: Reason[] = [];
  const wouldDeny: Reason[] = [];
  const passes: Pass[] = [];
  if (!groundsAllow(input.digest)) {
    denials.push({
      code: "digest-cannot-ground",
      message: "Only sha256, sha384 and sha512 digests ground an allow",
    });
  }
  denials.push(...quarantinesOf(input));
  if (input.inForce.isSuspended)
    denials.push({
      code: "project-suspended",
      message: "The project is suspended: nothing of it is allowed",
    });
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
    const isAudit = modeOf(policy, input.inForce.policies) === "audit";
    const verdict = verdicts.find((v) => v.policy === policy);
    const judged = judge(policy, verdict, input, now);
    const exception = isAudit ? undefined : exceptionTo(judged, policy, input.exceptions, now);
    const pass = exception === undefined ? judged : passByException(exception);
    const refusals = isReason(pass)
      ? [pass]
      : quarantinesBeneath(policy, verdict?.restsOn ?? [], input.quarantines);
    if (isAudit) wouldDeny.push(...refusals.map(inAuditMode));
    else denials.push(...refusals);
    if (!isReason(pass) && refusals.length === 0) passes.push(pass);
  }

  if (denials.length > 0) return denied(input.digest, [...denials, ...wouldDeny], verdicts);
  const vouching = passes.filter(({ verdict }) => verdict?.mode !== "audit");
  return {
    digest: input.digest,
    decision: "allow",
    enforced: vouching.length > 0,
    reasons: [...passes.flatMap(({ reasons }) => reasons), ...wouldDeny],
    verdicts,
    grounds: vouching.flatMap(({ verdict }) => verdict ?? []),
    exceptions: vouching.flatMap(({ exception }) => exception ?? []),
    slsaLevel: vouching.length === 0 ? 0 : Math.min(...vouching.map(({ slsaLevel }) => slsaLevel)),
    validUntil: earliest(vouching.map(({ until }) => until)),
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

/** The policies in audit mode that would have denied what is allowed. */
export function wouldDenyOf({ decision, reasons }: Pick<Decision, "decision" | "reasons">): string[] {
  if (decision === "deny") return [];
  return [...new Set(reasons.flatMap(({ code, policy }) => (code === "would-deny" && policy) || []))];
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
    exceptions: [],
    slsaLevel: 0,
    validUntil: null,
  };
}

function inAuditMode(denial: Reason): Reason {
  return { ...denial, code: "would-deny", message: `${denial.message} (in audit mode: not denied)` };
}

/** The pass that a policy's verdict gives, approved where the policy asks for it, or why it gives none. */
function judge(
  policy: string,
  verdict: (StandingVerdict & NamedVerdict) | undefined,
  { inForce, approvals }: DecisionInput,
  now: number,
): Pass | Reason {
  const passed = passing(policy, verdict, inForce, now);
  if ("code" in passed) return passed;
  const pass = passByVerdict(passed);
  const rule = inForce.policies.get(policy)?.spec.approvals;
  return rule === undefined ? pass : withApprovals(pass, rule, passed, approvals, now);
}

function isReason(judged: Pass | Reason): judged is Reason {
  return "code" in judged;
}

/** What stands in for a pass. Where no such policy is active there is nothing to make an exception to. */
function exceptionTo(
  judged: Pass | Reason,
  policy: string,
  exceptions: readonly Exception[],
  now: number,
): Exception | undefined {
  if (!isReason(judged) || judged.code === "unknown-policy") return undefined;
  return standingException(exceptions, policy, now);
}

function earliest(times: readonly (number | null)[]): number | null {
  const ends = times.filter((time) => time !== null);
  return ends.length === 0 ? null : Math.min(...ends);
}
