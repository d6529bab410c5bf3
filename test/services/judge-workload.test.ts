import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { judgeWorkload } from "../../src/services/judge-workload.ts";
import { approval, exception, HOUR, input, NOW, verdict } from "../decisions/approvals.ts";

const text = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec: { artifacts: { names: ["**"] }, signers: [{ key: builder }] }
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec: { selectors: ["unix:uid:1"], spiffeId: /widget, policies: [release], requesters: { issuers: [broker] } }
`;
const [widget] = loadPolicySet([{ name: "widget.yaml", text }]).workloads.values();
assert.ok(widget);

const approved = { ...input(), size: 8, hasEvidence: true };
const elsewhere = sha256("another");
const excepted = {
  ...approved,
  digest: elsewhere,
  verdicts: [verdict({ artifact: elsewhere, outcome: "failed", index: 9 })],
  approvals: [approval("alice")],
  exceptions: [exception()],
};
const terms = { kind: "x509", now: NOW, until: NOW + 100 * HOUR } as const;

test("what is granted names the policies that every digest passed, and none that an exception stood in for", () => {
  const alone = judgeWorkload(widget, [approved], terms).entitlement;
  assert.deepEqual(
    [alone?.grounds.policies, alone?.grounds.verdicts, alone?.exceptions],
    [["release"], [7], []],
  );
  const both = judgeWorkload(widget, [approved, excepted], terms).entitlement;
  assert.deepEqual([both?.grounds.policies, both?.grounds.verdicts, both?.exceptions], [[], [7], ["x1"]]);
});

test("what is granted ends with the exception that it rests on", () => {
  const brief = { ...excepted, exceptions: [exception({ expiresAt: NOW + 60_000 })] };
  const { entitlement, denials } = judgeWorkload(widget, [brief], terms);
  assert.deepEqual([entitlement?.expiresAt, denials], [NOW + 60_000, []]);
});
