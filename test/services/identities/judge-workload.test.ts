import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Digest, sha256 } from "../../../src/in-toto-attestation/index.ts";
import type { Absence } from "../../../src/policy/components.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import { judgeWorkload } from "../../../src/services/identities/judge-workload.ts";
import { approval, exception, HOUR, input, NOW, verdict } from "../../decisions/approvals.ts";

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
---
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: reviewed }
spec: { artifacts: { names: ["**"] }, signers: [{ key: builder }] }
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: composite }
spec:
  selectors: ["unix:uid:1"]
  spiffeId: /composite/{digest}
  components:
    image: { policies: [release] }
    prompts: { policies: [reviewed] }
  requesters: { issuers: [broker] }
`;
const [widget, composite] = loadPolicySet([{ name: "widget.yaml", text }]).workloads.values();
assert.ok(widget && composite);

function attested(components: Record<string, Digest[]>, absent: Record<string, Absence> = {}) {
  return { components: new Map(Object.entries(components)), absent: new Map(Object.entries(absent)) };
}

const approved = { ...input(), size: 8, hasEvidence: true };
const elsewhere = sha256("another");
const excepted = {
  ...approved,
  digest: elsewhere,
  verdicts: [verdict({ artifact: elsewhere, outcome: "failed", index: 9 })],
  approvals: [approval("alice")],
  exceptions: [exception()],
};
/** Judges a workload whose executables are these. */
const judge = (...standings: (typeof approved)[]) =>
  judgeWorkload(widget, attested({ executable: standings.map(({ digest }) => digest) }), standings, terms);
const terms = { kind: "x509", now: NOW, until: NOW + 100 * HOUR } as const;

test("what is granted names the policies that every digest passed, and none that an exception stood in for", () => {
  const alone = judge(approved).entitlement;
  assert.deepEqual(
    [alone?.grounds.policies, alone?.grounds.verdicts, alone?.exceptions],
    [["release"], [7], []],
  );
  const both = judge(approved, excepted).entitlement;
  assert.deepEqual([both?.grounds.policies, both?.grounds.verdicts, both?.exceptions], [[], [7], ["x1"]]);
});

test("what is granted ends with the exception that it rests on", () => {
  const brief = { ...excepted, exceptions: [exception({ expiresAt: NOW + 60_000 })] };
  const { entitlement, denials } = judge(brief);
  assert.deepEqual([entitlement?.expiresAt, denials], [NOW + 60_000, []]);
});

describe("what runs, by component", () => {
  const image = { ...approved, digest: sha256("image"), verdicts: [verdict({ artifact: sha256("image") })] };
  const prompts = {
    ...approved,
    digest: sha256("prompts"),
    verdicts: [verdict({ artifact: sha256("prompts"), policy: "reviewed", index: 8 })],
  };
  const inForce = new Map(
    ["release", "reviewed"].map((name) => [
      name,
      { hash: "sha256:policy", spec: { mode: "enforce" as const } },
    ]),
  );
  const judgeAll = (components: Record<string, Digest[]>, absent: Record<string, Absence> = {}) =>
    judgeWorkload(
      composite,
      attested(components, absent),
      [image, prompts, excepted].map((one) => ({ ...one, inForce: { ...one.inForce, policies: inForce } })),
      terms,
    );
  const codes = (...given: Parameters<typeof judgeAll>) =>
    judgeAll(...given).denials.map(({ code, component }) => [code, component]);

  test("each is judged by its own policies, and nothing that is not asked for", () => {
    const { entitlement, denials } = judgeAll({
      executable: [elsewhere],
      prompts: [prompts.digest],
      image: [image.digest],
    });
    assert.deepEqual(denials, []);
    assert.deepEqual(entitlement?.grounds, {
      digests: [image.digest, prompts.digest],
      policies: ["release", "reviewed"],
      verdicts: [7, 8],
    });
  });

  test("what passed one component's policy does not stand for another", () => {
    assert.deepEqual(
      judgeAll({ image: [prompts.digest], prompts: [image.digest] }).denials.map(({ code }) => code),
      ["no-verdict", "no-verdict"],
    );
  });

  test("of several digests the denial says which it is, and as what it runs", () => {
    const { denials } = judgeAll({ image: [image.digest], prompts: [elsewhere] });
    assert.deepEqual(denials.length, 1);
    assert.match(denials[0]?.message ?? "", new RegExp(`^prompts ${elsewhere}: `));
  });

  test("one that is missing denies, with the attestor's reason where there is one", () => {
    assert.deepEqual(codes({ image: [image.digest] }), [["component-missing", "prompts"]]);
    assert.deepEqual(codes({ image: [image.digest] }, { prompts: "interpreter" }), [
      ["interpreter", "prompts"],
    ]);
    assert.deepEqual(codes({ image: [image.digest] }, { "composite/prompts": "interpreter" }), [
      ["interpreter", "prompts"],
    ]);
  });

  test("what the workload policy alone means by a name comes before what is meant by all", () => {
    const own = { image: [image.digest], prompts: [elsewhere], "composite/prompts": [prompts.digest] };
    assert.deepEqual(codes(own), []);
    const others = { image: [image.digest], "another/prompts": [prompts.digest] };
    assert.deepEqual(codes(others), [["component-missing", "prompts"]]);
  });

  test("a SPIFFE ID that names a digest needs one of it", () => {
    assert.deepEqual(codes({ image: [image.digest, prompts.digest], prompts: [prompts.digest] })[0], [
      "component-ambiguous",
      "image",
    ]);
  });
});
