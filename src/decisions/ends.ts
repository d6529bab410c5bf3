import type { DecisionInput, InForce } from "./decide.ts";

/**
 * Every time, in milliseconds since the epoch, at which `decide` may come to say something else of the same state: of
 * the time it asks only which of them have come.
 */
export function endsOf(
  { verdicts, approvals, exceptions }: Pick<DecisionInput, "verdicts" | "approvals" | "exceptions">,
  { policies }: InForce,
): number[] {
  const approvalEnd = (policy: string, at: number) => {
    const lasts = policies.get(policy)?.spec.approvals?.expiresAfter;
    return lasts === undefined ? [] : [at + lasts];
  };
  return [
    ...verdicts.flatMap(({ validUntil }) => validUntil ?? []),
    ...verdicts.flatMap(({ policy, approvals }) =>
      (approvals?.attested ?? []).flatMap(({ signedAt }) => approvalEnd(policy, signedAt)),
    ),
    ...approvals.flatMap(({ policy, grantedAt }) => approvalEnd(policy, grantedAt)),
    ...exceptions.map(({ expiresAt }) => expiresAt),
  ];
}
