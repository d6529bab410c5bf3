import type { Verdict } from "../custody/log-store.ts";
import { REVOCATION_CHECK } from "../custody/revocations.ts";
import type { InForce, Reason, StandingVerdict } from "./decide.ts";

/** The policy's verdict if by it the artifact passes now, approved or not; or why it does not. */
export function passing<Given extends StandingVerdict>(
  policy: string,
  verdict: Given | undefined,
  inForce: InForce,
  now: number,
): Given | Reason {
  if (!inForce.policies.has(policy)) {
    return { code: "unknown-policy", message: `No active policy is named ${policy}`, policy };
  }
  if (verdict === undefined) {
    const message = `No verified evidence about this digest was judged by ${policy}`;
    return { code: "no-verdict", message, policy };
  }
  if (!isCurrent(verdict, inForce)) {
    const message = `The verdict of ${policy} is older than the policy, the trust roots or the evidence that count now`;
    return { code: "verdict-outdated", message, policy };
  }
  if (verdict.outcome === "failed") {
    const checks = verdict.checks.filter((check) => !check.passed);
    if (checks.some(({ check }) => check === REVOCATION_CHECK)) {
      const message = `Policy ${policy} failed without the evidence that was revoked`;
      return { code: "evidence-revoked", message, policy, checks };
    }
    return { code: "verdict-failed", message: `Policy ${policy} failed`, policy, checks };
  }
  if (hasEnded(verdict, now)) {
    return { code: "verdict-expired", message: `The verdict of ${policy} has expired`, policy };
  }
  return verdict;
}

/**
 * Whether the verdict was computed from the policy and the trust that are in force, and from all evidence and none that is
 * revoked. Trust that was only added to takes no pass away, but may turn a failure.
 */
export function isCurrent(
  verdict: Pick<StandingVerdict, "policy" | "policyHash" | "trustHash" | "outcome" | "isOvertaken" | "asOf">,
  inForce: InForce,
): boolean {
  const { policyHash, trustHash, outcome, isOvertaken, asOf } = verdict;
  const trustHolds = outcome === "passed" ? inForce.holding.has(trustHash) : inForce.trust === trustHash;
  const knowsRevocations = asOf >= inForce.revocationsAsOf;
  const isOfPolicy = inForce.policies.get(verdict.policy)?.hash === policyHash;
  return !isOvertaken && isOfPolicy && trustHolds && knowsRevocations;
}

/** Whether time alone has ended the pass. */
export function hasEnded(
  { outcome, validUntil }: Pick<Verdict, "outcome" | "validUntil">,
  now: number,
): boolean {
  return outcome === "passed" && validUntil !== undefined && validUntil <= now;
}
