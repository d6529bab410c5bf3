import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../../src/in-toto-attestation/index.ts";
import { loadPolicySet, type PolicySet } from "../../../src/policy/load.ts";
import { ARTIFACT, firstPolicies, firstTrust, OTHER, widerTrust } from "../evidence.ts";
import { decision, grant, inFiveMinutes, lie, quarantine, WORKLOAD } from "../lying-log.ts";
import type { SmallLog } from "../small-log.ts";

/*
 * What was granted on an artifact, told by logs that lie: signed and proved, but what they say was granted does
 * not follow from what stood.
 */

/** Of which there is no evidence, so that it would deny everything. */
const AUDITED = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: scan }
spec:
  mode: audit
  artifacts: { names: ["**"] }
  signers: [{ key: scanner }]
`;
test("grants that follow from what stood hold", () => {
  const failed = lie((log) => {
    grant(log);
    grant(log, { renews: "40".repeat(16) }, "identity.renewed");
    grant(log, { requester: "issuer:broker", kind: "jwt", keyHash: null, expiresAt: inFiveMinutes(log) });
    decision(log);
    quarantine(log, "quarantine.opened");
    decision(log, { current: "deny" });
    log.append({
      type: "identity.denied",
      about: [ARTIFACT],
      body: { requester: "issuer:broker", reasons: [{ code: "quarantined" }], count: 3, since: "then" },
    });
    quarantine(log, "quarantine.lifted");
    grant(log);
    decision(log);
  });
  assert.deepEqual(failed, new Set());
});

test("an identity that does not follow from what stood is found, though the log signed it", () => {
  const lies: Record<string, JsonObject> = {
    "an unknown workload policy": { workload: "other" },
    "another workload policy's hash": { workloadHash: OTHER },
    "another SPIFFE ID": { spiffeId: "spiffe://example.org/widget/00" },
    "no SPIFFE ID": { spiffeId: "https://example.org" },
    "a requester that may not ask": { requester: "issuer:other" },
    "selectors that do not match": { selectors: ["unix:uid:0"] },
    "other artifacts only": {
      digests: [OTHER],
      spiffeId: `spiffe://example.org/widget/${OTHER.slice("sha256:".length)}`,
    },
    "other policies": { policies: [] },
    "no verdict": { verdicts: [] },
    "another verdict": { verdicts: [0] },
    "a policy set that was not in force": { policySet: firstPolicies.hash },
    "trust that was not in force": { trust: widerTrust.hash },
    "a kind that is not known": { kind: "ssh" },
    "a later time than the log's": { issuedAt: "2100-01-01T00:00:00.000Z" },
    "a longer life than allowed": { expiresAt: "2100-01-01T00:00:00.000Z" },
    "no end": { expiresAt: null },
  };
  for (const [what, change] of Object.entries(lies)) {
    const checks = lie((log) => {
      if ("trust" in change) {
        log.activateTrust(widerTrust);
        log.activateTrust(firstTrust);
      }
      grant(log, change);
    });
    assert.deepEqual(checks, new Set(["identity"]), what);
  }
});

test("an identity that was granted in quarantine, or on a failure, is found", () => {
  const inQuarantine = (log: SmallLog) => {
    quarantine(log, "quarantine.opened", "first");
    quarantine(log, "quarantine.opened", "second");
    quarantine(log, "quarantine.lifted", "first");
    grant(log);
  };
  assert.deepEqual(lie(inQuarantine), new Set(["identity"]));
  const onFailure = (log: SmallLog) => {
    const passed = log.events.findLast(({ type }) => type === "verdict.passed");
    assert.ok(passed);
    log.append({ type: "verdict.failed", about: passed.about, body: passed.body });
    grant(log);
  };
  assert.deepEqual(lie(onFailure), new Set(["verdict", "identity"]));
});

test("a decision that is recorded as current where it was not is found", () => {
  const inQuarantine = (log: SmallLog) => {
    quarantine(log, "quarantine.opened");
    decision(log);
  };
  assert.deepEqual(lie(inQuarantine), new Set(["decision"]));
  assert.deepEqual(
    lie((log) => decision(log, { policies: ["other"] })),
    new Set(["decision"]),
  );
  assert.deepEqual(
    lie((log) => decision(log, { policies: [] })),
    new Set(["decision"]),
  );
  assert.deepEqual(
    lie((log) => decision(log, { artifact: OTHER })),
    new Set(["decision"]),
  );
});

test("a summary that was signed of what was not allowed, or for ever, is found", () => {
  const summary = { statement: OTHER, keyId: "40".repeat(32) };
  const until = (log: SmallLog) => ({ summary, expiresAt: inFiveMinutes(log) });
  assert.deepEqual(
    lie((log) => decision(log, until(log))),
    new Set(),
  );
  const lies: Record<string, JsonObject> = {
    "of a denial": { decision: "deny" },
    "of what was denied when it was recorded": { current: "deny" },
    "without an end": { expiresAt: null },
  };
  for (const [what, change] of Object.entries(lies)) {
    const checks = lie((log) => decision(log, { ...until(log), ...change }));
    assert.deepEqual(checks, new Set(["decision"]), what);
  }
});

test("a quarantine that is lifted without having been opened is found", () => {
  assert.deepEqual(
    lie((log) => quarantine(log, "quarantine.lifted")),
    new Set(["quarantine"]),
  );
});

const WITH_AUDIT = withAudited("[release, scan]");
const AUDIT_ONLY = withAudited("[scan]");

function withAudited(policies: string): PolicySet {
  const workload = WORKLOAD.replace("policies: [release]", `policies: ${policies}`);
  const files = { "scan.yaml": AUDITED, "workload.yaml": workload };
  return loadPolicySet([
    ...firstPolicies.files,
    ...Object.entries(files).map(([name, text]) => ({ name, text })),
  ]);
}

/** What a grant under the set says of it. */
function under(set: PolicySet): JsonObject {
  return { policySet: set.hash, workloadHash: set.workloads.get("widget")?.hash ?? "" };
}

const WOULD_DENY = { digest: ARTIFACT, policy: "scan" };

test("an identity names what policies in audit mode would have denied, and rests on none of them", () => {
  const granted = { ...under(WITH_AUDIT), wouldDeny: [WOULD_DENY] };
  assert.deepEqual(
    lie((log) => grant(log, granted), WITH_AUDIT),
    new Set(),
  );
  const lies: Record<string, JsonObject> = {
    "nothing of it": under(WITH_AUDIT),
    "another artifact's": { ...granted, wouldDeny: [{ ...WOULD_DENY, digest: OTHER }] },
    "a policy that is enforced": { ...granted, wouldDeny: [{ ...WOULD_DENY, policy: "release" }] },
    "no list": { ...granted, wouldDeny: ["scan"] },
    "as grounds": { ...granted, policies: ["release", "scan"] },
  };
  for (const [what, change] of Object.entries(lies)) {
    assert.deepEqual(
      lie((log) => grant(log, change), WITH_AUDIT),
      new Set(["identity"]),
      what,
    );
  }
  const ungrounded = { ...under(AUDIT_ONLY), policies: [], wouldDeny: [WOULD_DENY] };
  assert.deepEqual(
    lie((log) => grant(log, ungrounded), AUDIT_ONLY),
    new Set(["identity"]),
    "granted by audit alone",
  );
});

test("a decision says that no policy enforced it, and no summary is signed of one", () => {
  const audited = { policies: ["scan"], enforced: false };
  const holds = (log: SmallLog) => {
    decision(log, audited);
    decision(log, { policies: ["release", "scan"] });
  };
  assert.deepEqual(lie(holds, WITH_AUDIT), new Set());
  const lies: Record<string, (log: SmallLog) => JsonObject> = {
    "as if enforced": () => ({ policies: ["scan"] }),
    "as if not enforced": () => ({ ...audited, policies: ["release", "scan"] }),
    "of a denial": () => ({ ...audited, current: "deny" }),
    "with a summary": (log) => ({
      ...audited,
      expiresAt: inFiveMinutes(log),
      summary: { statement: OTHER, keyId: "40".repeat(32) },
    }),
  };
  for (const [what, change] of Object.entries(lies)) {
    assert.deepEqual(
      lie((log) => decision(log, change(log)), WITH_AUDIT),
      new Set(["decision"]),
      what,
    );
  }
});
