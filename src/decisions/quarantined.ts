import { type QuarantineRule, quarantineText } from "../custody/quarantine-target.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { DecisionInput, Reason } from "./decide.ts";

/** A quarantine as a decision meets it: by an artifact, itself or by a rule that holds it, or by a policy. */
export type MetQuarantine = {
  readonly id: string;
  readonly reason: string;
  readonly rule?: QuarantineRule;
} & ({ readonly artifact: Digest } | { readonly policy: string });

/** Of the artifact itself, and of the policies named: whatever their mode, so that no edit of them ends it. */
export function quarantinesOf({ digest, policies, quarantines }: DecisionInput): Reason[] {
  return quarantines.flatMap((quarantine): Reason[] => {
    const message = `Quarantine ${told(quarantine)}`;
    if ("artifact" in quarantine)
      return quarantine.artifact === digest ? [{ code: "quarantined", message }] : [];
    const { policy } = quarantine;
    return policies.includes(policy) ? [{ code: "quarantined", message, policy }] : [];
  });
}

/** What stands for an artifact is denied with it: its container, or the commit that it was built from. */
export function quarantinesBeneath(
  policy: string,
  restsOn: readonly Digest[],
  quarantines: readonly MetQuarantine[],
): Reason[] {
  return quarantines.flatMap((quarantine): Reason[] => {
    if (!("artifact" in quarantine) || !restsOn.includes(quarantine.artifact)) return [];
    const message = `The verdict of ${policy} rests on ${quarantine.artifact}, which is in quarantine ${told(quarantine)}`;
    return [{ code: "quarantined", message, policy }];
  });
}

function told({ id, rule, reason }: MetQuarantine): string {
  return `${id}${rule === undefined ? "" : ` of ${quarantineText(rule)}`}: ${reason}`;
}
