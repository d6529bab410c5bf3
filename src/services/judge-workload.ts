import { type DecisionInput, decideGrant } from "../decisions/decide.ts";
import type { Grounds } from "../identity/grounds.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { WorkloadPolicy } from "../policy/workload-policy.ts";

/** Why a workload is granted nothing. */
export interface DenialReason {
  readonly code: string;
  readonly message: string;
  readonly policy?: string;
  readonly digest?: Digest;
}

/** What an SVID may say. Times are whole seconds, in milliseconds since the epoch. */
export interface Entitlement {
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly grounds: Grounds;
  /** What policies in audit mode would have denied. */
  readonly wouldDeny: readonly { readonly digest: Digest; readonly policy: string }[];
  /** Ids of the exceptions that it rests on. */
  readonly exceptions: readonly string[];
}

const SECOND = 1000;

/**
 * Decides every digest by every policy that the workload policy names. All must be allowed by those that are enforced:
 * one denial is enough to grant nothing, and all of them are told. What is granted ends no later than a verdict that it rests on.
 *
 * @param until the latest end of anything granted: that of the authority's own certificate
 */
export function judgeWorkload(
  { spec }: WorkloadPolicy,
  digests: readonly Omit<DecisionInput, "policies">[],
  { kind, now, until }: { readonly kind: "x509" | "jwt"; readonly now: number; readonly until: number },
): { readonly entitlement?: Entitlement; readonly denials: readonly DenialReason[] } {
  const decisions = digests.map((standing) => decideGrant({ ...standing, policies: spec.policies }, now));
  const denials = decisions.flatMap(({ digest, decision, reasons }) =>
    decision === "allow"
      ? []
      : reasons.map(({ code, message, policy }) => ({ code, message, digest, ...(policy && { policy }) })),
  );
  if (denials.length > 0) return { denials };

  const ends = decisions.flatMap(({ validUntil }) => validUntil ?? []);
  const expiresAt = wholeSeconds(Math.min(now + spec.ttl[kind], until, ...ends));
  if (expiresAt <= now) {
    return {
      denials: [{ code: "verdict-expired", message: "What the SVID would rest on ends this second" }],
    };
  }
  const grounds = decisions.flatMap(({ grounds }) => grounds);
  const exceptions = decisions.flatMap(({ exceptions }) => exceptions);
  const excepted = new Set(exceptions.map(({ policy }) => policy));
  const vouching = new Set(grounds.flatMap(({ policy }) => (excepted.has(policy) ? [] : policy)));
  return {
    entitlement: {
      issuedAt: wholeSeconds(now),
      expiresAt,
      grounds: {
        digests: digests.map(({ digest }) => digest),
        policies: spec.policies.filter((policy) => vouching.has(policy)),
        verdicts: [...new Set(grounds.map(({ index }) => index))].sort((a, b) => a - b),
      },
      wouldDeny: decisions.flatMap(({ digest, reasons }) => {
        const policies = reasons.flatMap(({ code, policy }) => (code === "would-deny" && policy) || []);
        return [...new Set(policies)].map((policy) => ({ digest, policy }));
      }),
      exceptions: exceptions.map(({ id }) => id),
    },
    denials: [],
  };
}

/** Nothing lets the requester ask for this SPIFFE ID, or for any. */
export function notRegistered(id = "a workload with these selectors"): DenialReason {
  return { code: "no-workload-policy", message: `No workload policy lets this requester ask for ${id}` };
}

function wholeSeconds(time: number): number {
  return Math.floor(time / SECOND) * SECOND;
}
