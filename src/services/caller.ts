import type { ProjectId } from "../custody/events.ts";
import { VouchsafeError } from "../errors.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { ROLES, type Role } from "../policy/access-policy.ts";

export { ROLES, type Role };

/** Who asks, as its credential says: never as the request says. */
export interface Caller {
  /** The credential's id, which events name; never the secret. An agent's or a workload's is its SPIFFE ID. */
  readonly token: string;
  /** What the operator named it; of one that an access rule takes, its id. */
  readonly name: string;
  readonly project: ProjectId;
  readonly roles: readonly Role[];
  /** The policies that an artifact must pass, all of them, when this caller asks about it. */
  readonly policies: readonly string[];
  readonly mayChoosePolicy: boolean;
  /** Only of one that an access rule takes: the AccessPolicy, and the number of its rule in it, from 1. */
  readonly rule?: { readonly policy: string; readonly number: number };
  /** Only of a node's agent that has joined: who it is, and the certificate by which it proved that. */
  readonly agent?: { readonly spiffeId: SpiffeId; readonly serial: string };
}

/**
 * The policies that a question of this caller is decided by: those of its access rule, or the one that it
 * chose where its access rule lets it choose.
 *
 * @throws VouchsafeError `policy-not-allowed`
 */
export function policiesFor(caller: Caller, chosen: string | undefined): readonly string[] {
  if (chosen === undefined) return caller.policies;
  const isItsOnlyPolicy = caller.policies.length === 1 && caller.policies[0] === chosen;
  if (caller.mayChoosePolicy || isItsOnlyPolicy) return [chosen];
  throw new VouchsafeError(
    "policy-not-allowed",
    `This token may not choose the policy ${chosen}; leave it out`,
  );
}
