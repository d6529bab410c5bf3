import { isJsonObject } from "../../in-toto-attestation/json.ts";
import type { JsonObject, JsonValue } from "../../in-toto-attestation/types.ts";
import type { Projector } from "./rows.ts";

// What policies in audit mode would have denied: for a report, before they are enforced.

/** An SVID was granted all the same. */
export const projectWouldDeny: Projector = (entry, rows) => {
  const { workload, requester } = entry.draft.body;
  for (const [n, { digest, policy }] of objectsIn(entry.draft.body.wouldDeny).entries())
    rows.would_denials.push({ ...rowOf(entry, n), policy, workload, artifact: digest, requester, count: 1 });
};

/** None was: no policy that is enforced vouched for it, or the workload policy itself is in audit mode. */
export const projectDenial: Projector = (entry, rows) => {
  const { requester, count, reasons } = entry.draft.body;
  for (const [n, { code, policy, workload, because, digest }] of objectsIn(reasons).entries()) {
    if (code !== "would-deny") continue;
    const told = { policy, workload, artifact: digest, because };
    rows.would_denials.push({ ...rowOf(entry, n), ...told, requester, count });
  }
};

/** An outside issuer acted on an allow. */
export const projectDecision: Projector = (entry, rows) => {
  const { artifact, grantedTo, wouldDeny } = entry.draft.body;
  for (const [n, policy] of listIn(wouldDeny).entries())
    rows.would_denials.push({ ...rowOf(entry, n), policy, artifact, requester: grantedTo, count: 1 });
};

function rowOf({ project, index, time }: Parameters<Projector>[0], n: number) {
  return { project_id: project, index, n, time };
}

function listIn(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return listIn(value).filter(isJsonObject);
}
