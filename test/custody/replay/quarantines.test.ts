import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChainKey } from "../../../src/custody/events.ts";
import type { JsonObject } from "../../../src/in-toto-attestation/index.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import { ARTIFACT, firstPolicies } from "../evidence.ts";
import { decision, grant, lie, POLICIES, WORKLOAD } from "../lying-log.ts";
import type { SmallLog } from "../small-log.ts";

const SPIFFE_ID = `spiffe://example.org/widget/${ARTIFACT.slice("sha256:".length)}`;
const SERIAL = "40".repeat(16);

function open(log: SmallLog, target: JsonObject, about: readonly ChainKey[] = ["*"], id = "q"): void {
  log.append({ type: "quarantine.opened", about, body: { id, target, reason: "broken into", caller: "t" } });
}
function lift(log: SmallLog, about: readonly ChainKey[] = ["*"], id = "q"): void {
  log.append({ type: "quarantine.lifted", about, body: { id, reason: "it was none", caller: "t" } });
}

const DECIDING: readonly JsonObject[] = [
  { builder: "https://builder.example/ci" },
  { signer: { key: "builder" } },
  { policy: "release" },
];

test("what was granted in a quarantine by rule is found, and holds before it and after it", () => {
  for (const target of [...DECIDING, { spiffeId: SPIFFE_ID }]) {
    const grants = (log: SmallLog) => grant(log);
    const during = (log: SmallLog) => {
      open(log, target);
      grants(log);
    };
    const around = (log: SmallLog) => {
      grants(log);
      open(log, target);
      lift(log);
      grants(log);
    };
    assert.deepEqual(lie(during), new Set(["identity"]), JSON.stringify(target));
    assert.deepEqual(lie(around), new Set(), JSON.stringify(target));
  }
});

test("a decision is denied by the artifact's quarantines and its policy's, and by no identity's", () => {
  const during = (target: JsonObject) => (log: SmallLog) => {
    open(log, target);
    decision(log);
  };
  for (const target of DECIDING) assert.deepEqual(lie(during(target)), new Set(["decision"]));
  for (const target of [{ spiffeId: SPIFFE_ID }, { serial: SERIAL }, { policy: "other" }])
    assert.deepEqual(lie(during(target)), new Set());
});

test("a serial number's is of its renewal alone", () => {
  const granted = (type: "identity.issued" | "identity.renewed") => (log: SmallLog) => {
    open(log, { serial: SERIAL }, ["*", ARTIFACT]);
    const renews = type === "identity.renewed" ? SERIAL : null;
    grant(log, { renews, serial: "41".repeat(16) }, type);
  };
  assert.deepEqual(lie(granted("identity.renewed")), new Set(["identity"]));
  assert.deepEqual(lie(granted("identity.issued")), new Set());
});

test("others are not met", () => {
  const others: readonly JsonObject[] = [
    { builder: "https://builder.example/c" },
    { signer: { key: "second" } },
    { signer: { issuer: "builder", identity: "builder" } },
    { repository: "https://builder.example/ci" },
    { policy: "releases" },
    { spiffeId: "spiffe://example.org/widget" },
  ];
  assert.deepEqual(
    lie((log) => {
      for (const [i, target] of others.entries()) open(log, target, ["*"], `q${i}`);
      grant(log);
      decision(log);
    }),
    new Set(),
  );
});

test("one that stands in one artifact's chain alone, or is of what none can be of, is found", () => {
  const builder = { builder: "https://builder.example/ci" };
  const lies: Record<string, (log: SmallLog) => void> = {
    "a rule in one chain": (log) => open(log, builder, [ARTIFACT]),
    "an artifact's for the project": (log) => open(log, { artifact: ARTIFACT }),
    "with a window": (log) => open(log, { ...builder, from: "2026-01-01T00:00:00.000Z" }),
    "of an attestation": (log) => open(log, { attestation: ARTIFACT }),
    "of two things": (log) => open(log, { ...builder, policy: "release" }),
    "of nothing": (log) => open(log, {}),
    "twice of an id": (log) => {
      open(log, builder);
      open(log, { policy: "other" });
    },
    "lifted in one chain": (log) => {
      open(log, builder);
      lift(log, [ARTIFACT]);
    },
  };
  for (const [what, tell] of Object.entries(lies)) assert.deepEqual(lie(tell), new Set(["quarantine"]), what);
});

test("what a workload policy in audit mode gave is found", () => {
  const text = WORKLOAD.replace("spec:\n", "spec:\n  mode: audit\n");
  const audited = loadPolicySet([...firstPolicies.files, { name: "workload.yaml", text }]);
  const said = { policySet: audited.hash, workloadHash: audited.workloads.get("widget")?.hash ?? "" };
  assert.notEqual(audited.hash, POLICIES.hash);
  assert.deepEqual(
    lie((log) => grant(log, said), audited),
    new Set(["identity"]),
  );
});
