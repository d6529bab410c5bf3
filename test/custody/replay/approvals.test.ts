import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventType } from "../../../src/custody/events.ts";
import type { PackCheckName } from "../../../src/custody/pack/report.ts";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { digestOf, type JsonObject } from "../../../src/in-toto-attestation/index.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import { buildPack } from "../build-pack.ts";
import { ARTIFACT, byBuilder, firstPolicies, firstTrust, OTHER } from "../evidence.ts";
import { logSigner, type SmallLog, smallLog } from "../small-log.ts";

/*
 * Approvals and exceptions, told by logs that lie: signed and proved, but what they say was granted does not follow
 * from what stood.
 */

const WORKLOAD = `
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: /widget
  policies: [release]
  requesters: { issuers: [broker] }
`;
const [FIRST] = firstPolicies.files;
assert.ok(FIRST);
const ASKING = FIRST.text.replace(
  "\nspec:",
  "\nspec:\n  approvals: {required: 1, from: [{approver: alice}, {approver: builder}, {approver: carol}], expiresAfter: 1h}",
);
const POLICIES = loadPolicySet([
  { name: FIRST.name, text: ASKING },
  { name: "workload.yaml", text: WORKLOAD },
]);
const POLICY_HASH = POLICIES.policies.get("release")?.hash ?? "";
const HOUR = 3_600_000;

const timeOf = (log: SmallLog) => log.events.at(-1)?.time ?? 0;
const attestationsOf = (log: SmallLog) =>
  log.events.findLast(({ type }) => type === "verdict.passed")?.body.attestations ?? [];

function approve(log: SmallLog, change: JsonObject = {}): void {
  const body = {
    id: "a1",
    artifact: ARTIFACT,
    policy: "release",
    policyHash: POLICY_HASH,
    attestations: attestationsOf(log),
    approver: "alice",
    reason: null,
    caller: "token",
    ...change,
  };
  log.append({ type: "approval.granted", about: [ARTIFACT], body });
}

function except(log: SmallLog, change: JsonObject = {}): void {
  const expiresAt = new Date(timeOf(log) + HOUR).toISOString();
  const body = {
    id: "x1",
    artifact: ARTIFACT,
    policy: "release",
    reason: "outage",
    owner: "dana",
    expiresAt,
    caller: "token",
    ...change,
  };
  log.append({ type: "exception.granted", about: [ARTIFACT], body });
}

function end(log: SmallLog, type: EventType, id: string): void {
  log.append({ type, about: [ARTIFACT], body: { id, artifact: ARTIFACT, reason: "over", caller: "token" } });
}

function grant(log: SmallLog, change: JsonObject = {}): void {
  const verdict = log.events.findLast(({ type }) => type === "verdict.passed");
  const at = Math.floor(timeOf(log) / 1000) * 1000;
  log.append({
    type: "identity.issued",
    about: [ARTIFACT],
    body: {
      workload: "widget",
      workloadHash: POLICIES.workloads.get("widget")?.hash ?? "",
      spiffeId: "spiffe://example.org/widget",
      kind: "x509",
      serial: "40".repeat(16),
      keyHash: OTHER,
      digests: [ARTIFACT],
      policies: change.exceptions === undefined ? ["release"] : [],
      verdicts: change.exceptions === undefined ? [verdict?.index ?? 0] : [],
      policySet: POLICIES.hash,
      trust: firstTrust.hash,
      requester: "issuer:broker",
      selectors: ["unix:uid:1000"],
      issuedAt: new Date(at).toISOString(),
      expiresAt: new Date(at + 600_000).toISOString(),
      renews: null,
      ...change,
    },
  });
}

function decide(log: SmallLog, change: JsonObject = {}, about = ARTIFACT): void {
  const body = {
    artifact: ARTIFACT,
    policies: ["release"],
    decision: "allow",
    asOf: 1,
    grantedTo: "widget",
    issuer: "spire",
    expiresAt: null,
    current: "allow",
    caller: "token",
    ...change,
  };
  log.append({ type: "decision.recorded", about: [about], body });
}

/** The checks that fail of a log in which the artifact passed before the rest was told. */
function lie(tell: (log: SmallLog) => void): Set<PackCheckName> {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(POLICIES);
  log.push(byBuilder("run"));
  tell(log);
  const { checks } = verifyPack(buildPack(log.packInput()), logSigner.verifierKey);
  return new Set(checks.filter(({ status }) => status === "fails").map(({ check }) => check));
}

test("what rests on approvals and exceptions that stood holds", () => {
  const failed = lie((log) => {
    approve(log);
    grant(log);
    decide(log);
    end(log, "approval.withdrawn", "a1");
    except(log);
    grant(log, { exceptions: ["x1"] });
    decide(log, { exceptions: ["x1"] });
    end(log, "exception.withdrawn", "x1");
    approve(log, { id: "a2", approver: "carol", reason: "again" });
    grant(log);
  });
  assert.deepEqual(failed, new Set());
});

const LIES: readonly (readonly [string, PackCheckName, (log: SmallLog) => void])[] = [
  ["an approval of another artifact", "approval", (log) => approve(log, { artifact: OTHER })],
  ["an approval of a policy that is not there", "approval", (log) => approve(log, { policy: "other" })],
  ["an approval of another version of the policy", "approval", (log) => approve(log, { policyHash: OTHER })],
  ["an approval of other evidence", "approval", (log) => approve(log, { attestations: [OTHER] })],
  ["an approval by one who may not give it", "approval", (log) => approve(log, { approver: "mallory" })],
  ["an approval by the builder", "approval", (log) => approve(log, { approver: "builder" })],
  ["an approval that is there already", "approval", (log) => [approve(log), approve(log)]],
  ["a withdrawal of no approval", "approval", (log) => end(log, "approval.withdrawn", "a1")],
  ["an exception for another artifact", "exception", (log) => except(log, { artifact: OTHER })],
  ["an exception for which nobody answers", "exception", (log) => except(log, { owner: "" })],
  [
    "an exception that never ends",
    "exception",
    (log) => except(log, { expiresAt: "2100-01-01T00:00:00.000Z" }),
  ],
  ["an exception without an end", "exception", (log) => except(log, { expiresAt: null })],
  ["an exception that is there already", "exception", (log) => [except(log), except(log)]],
  ["a withdrawal of no exception", "exception", (log) => end(log, "exception.withdrawn", "x1")],
  ["an identity without an approval", "identity", (log) => grant(log)],
  ["a decision without an approval", "decision", (log) => decide(log)],
  [
    "an identity on an approval that was withdrawn",
    "identity",
    (log) => [approve(log), end(log, "approval.withdrawn", "a1"), grant(log)],
  ],
  [
    "an identity that outlives its approval",
    "identity",
    (log) => {
      approve(log);
      const late = timeOf(log) + HOUR - 60_000;
      grant(log, { expiresAt: new Date(late + 120_000).toISOString() });
    },
  ],
  [
    "an identity that says it passed what an exception let it through",
    "identity",
    (log) => {
      except(log);
      grant(log, { exceptions: ["x1"], policies: ["release"] });
    },
  ],
  ["an identity on an exception that it does not name", "identity", (log) => [except(log), grant(log)]],
  [
    "an identity on an exception that was never given",
    "identity",
    (log) => [approve(log), grant(log, { exceptions: ["x1"] })],
  ],
  [
    "an identity on an exception to another policy",
    "identity",
    (log) => [approve(log), except(log, { policy: "scan" }), grant(log, { exceptions: ["x1"] })],
  ],
  [
    "an identity on an exception that was withdrawn",
    "identity",
    (log) => [except(log), end(log, "exception.withdrawn", "x1"), grant(log, { exceptions: ["x1"] })],
  ],
  [
    "an identity that outlives its exception",
    "identity",
    (log) => {
      except(log, { expiresAt: new Date(timeOf(log) + 60_000).toISOString() });
      grant(log, { exceptions: ["x1"] });
    },
  ],
  [
    "an identity on an exception in quarantine",
    "identity",
    (log) => {
      except(log);
      const body = { id: "q", artifact: ARTIFACT, reason: "leak", caller: "token" };
      log.append({ type: "quarantine.opened", about: [ARTIFACT], body });
      grant(log, { exceptions: ["x1"] });
    },
  ],
  [
    "a decision on an exception that had ended",
    "decision",
    (log) => {
      except(log, { expiresAt: new Date(timeOf(log) - 60_000).toISOString() });
      decide(log, { exceptions: ["x1"] });
    },
  ],
  [
    "a summary on an exception",
    "decision",
    (log) => {
      except(log);
      const expiresAt = new Date(timeOf(log) + 60_000).toISOString();
      decide(log, { exceptions: ["x1"], expiresAt, summary: { statement: OTHER, keyId: "40".repeat(32) } });
    },
  ],
];
for (const [what, check, tell] of LIES) {
  test(`${what} is found, though the log signed it`, () => {
    assert.deepEqual(lie(tell), new Set([check]));
  });
}

test("an exception lets nothing through by a digest that can be forged", () => {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(POLICIES);
  const artifact = digestOf("sha1", "0".repeat(40));
  const expiresAt = new Date(timeOf(log) + HOUR).toISOString();
  const exception = { id: "x1", artifact, policy: "release", reason: "outage", owner: "dana", expiresAt };
  log.append({ type: "exception.granted", about: [artifact], body: { ...exception, caller: "token" } });
  decide(log, { artifact, exceptions: ["x1"] }, artifact);
  const { checks } = verifyPack(buildPack(log.packInput(artifact)), logSigner.verifierKey);
  const failed = checks.filter(({ status }) => status === "fails");
  assert.deepEqual(
    failed.map(({ check }) => check),
    ["decision"],
  );
});
