import type { Projector } from "./rows.ts";

export const projectPolicies: Projector = ({ project, index, draft }, rows) => {
  const { policySet, document } = draft.body;
  rows.active_policies.set(project, { project_id: project, policy_set: policySet, document, index });
};

export const projectTrust: Projector = ({ project, index, draft }, rows) => {
  const { trust, extendsPrevious } = draft.body as { trust: string; extendsPrevious: boolean };
  const earlier = rows.active_trust.get(project);
  rows.active_trust.set(project, {
    project_id: project,
    trust,
    holding: extendsPrevious === true ? [trust, ...(earlier?.holding ?? [])] : [trust],
    extends_previous: extendsPrevious === true && (earlier?.extends_previous ?? true),
    index,
  });
};
