import type { EventType } from "../../src/custody/events.ts";
import type { PackCheckName } from "../../src/custody/pack/report.ts";
import { verifyPack } from "../../src/custody/verify-pack.ts";
import type { JsonObject } from "../../src/in-toto-attestation/index.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { decisionRecorded } from "../support/pushes.ts";
import { buildPack } from "./build-pack.ts";
import { ARTIFACT, byBuilder, firstPolicies, firstTrust, OTHER } from "./evidence.ts";
import { logSigner, type SmallLog, smallLog } from "./small-log.ts";

/*
 * Logs that lie about what was granted on an artifact: signed and proved.
 */

export const WORKLOAD = `
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: /widget/{digest}
  policies: [release]
  requesters: { agents: ["spiffe://example.org/vouchsafe/agent/*"], issuers: [broker] }
`;
export const POLICIES = loadPolicySet([...firstPolicies.files, { name: "workload.yaml", text: WORKLOAD }]);

/** An identity as it would be granted by the log's end. */
export function grant(log: SmallLog, change: JsonObject = {}, type: EventType = "identity.issued"): void {
  const verdict = log.events.findLast((event) => event.type === "verdict.passed");
  const at = Math.floor((log.events.at(-1)?.time ?? 0) / 1000) * 1000;
  log.append({
    type,
    about: [ARTIFACT],
    body: {
      workload: "widget",
      workloadHash: POLICIES.workloads.get("widget")?.hash ?? "",
      spiffeId: `spiffe://example.org/widget/${ARTIFACT.slice("sha256:".length)}`,
      kind: "x509",
      serial: "40".repeat(16),
      keyHash: OTHER,
      digests: [ARTIFACT],
      policies: ["release"],
      verdicts: [verdict?.index ?? 0],
      policySet: POLICIES.hash,
      trust: firstTrust.hash,
      requester: "spiffe://example.org/vouchsafe/agent/node-1",
      selectors: ["unix:uid:1000", "unix:gid:1000"],
      issuedAt: new Date(at).toISOString(),
      expiresAt: new Date(at + 600_000).toISOString(),
      renews: null,
      ...change,
    },
  });
}

export function quarantine(log: SmallLog, type: "quarantine.opened" | "quarantine.lifted", id = "q"): void {
  log.append({ type, about: [ARTIFACT], body: { id, artifact: ARTIFACT, reason: "leak", caller: "token" } });
}

export function decision(log: SmallLog, change: JsonObject = {}): void {
  const draft = decisionRecorded(ARTIFACT);
  log.append({ ...draft, body: { ...draft.body, ...change } });
}

/** The checks that fail of a log in which the artifact passed before the rest was told. */
export function lie(tell: (log: SmallLog) => void, policies = POLICIES): Set<PackCheckName> {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(policies);
  log.push(byBuilder("run"));
  tell(log);
  const { checks } = verifyPack(buildPack(log.packInput()), logSigner.verifierKey);
  return new Set(checks.filter(({ status }) => status === "fails").map(({ check }) => check));
}

export function inFiveMinutes(log: SmallLog): string {
  const at = Math.floor((log.events.at(-1)?.time ?? 0) / 1000) * 1000;
  return new Date(at + 300_000).toISOString();
}
