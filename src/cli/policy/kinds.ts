import type { PolicySet } from "../../policy/load.ts";

/** A document of another kind than `VerificationPolicy`. */
export interface OtherDocument {
  readonly kind: string;
  readonly name: string;
  readonly hash: string;
}

/** What stands beside the verification policies. */
export function othersIn(set: PolicySet): readonly OtherDocument[] {
  const { builders, workloads, federations, enrollments, access, retention } = set;
  const kinds = {
    Builder: builders.values(),
    WorkloadPolicy: workloads.values(),
    FederatedTrustDomain: federations.values(),
    AgentEnrollment: enrollments.values(),
    AccessPolicy: access.values(),
    RetentionPolicy: retention === undefined ? [] : [retention],
  };
  return Object.entries(kinds).flatMap(([kind, loaded]) =>
    [...loaded].map(({ name, hash }) => ({ kind, name, hash })),
  );
}
