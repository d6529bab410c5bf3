import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { VouchsafeError } from "../../../src/errors.ts";
import type { Digest } from "../../../src/in-toto-attestation/index.ts";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { recordDecision } from "../../../src/services/decisions/record-decision.ts";
import { reportWouldDeny } from "../../../src/services/decisions/report-would-deny.ts";
import { issueX509Svids } from "../../../src/services/identities/issue-svid.ts";
import { agentCaller, fetchX509, newKey, WORKLOADS } from "../identities/identity-house.ts";
import { BUILT, openRevocationHouse, POLICY, type RevocationHouse } from "../incidents/revocation-house.ts";

const MODES = ["enforce", "audit"] as const;
type Mode = (typeof MODES)[number];
const STRICT = "strict";
/** What enforcement would deny: a builder that has built nothing. */
const strictly = (mode: Mode) =>
  withMode(BUILT.replace(`name: ${POLICY}`, `name: ${STRICT}`), mode).replaceAll("acme/*", "nobody/*");
const withMode = (text: string, mode: Mode) => text.replaceAll("spec:\n", `spec:\n  mode: ${mode}\n`);

describe("policies in audit mode, before they are enforced", () => {
  let house: RevocationHouse;
  let passing: Digest;

  before(async () => {
    house = await openRevocationHouse();
    passing = (await house.release({ workflow: "rollout" })).digest;
  });
  after(() => house.close());

  async function activate(modes: Readonly<Record<"workload" | "built" | "strict", Mode>>, named: string) {
    const { policySet } = await readPolicies(house.a.v, house.operator());
    const documents = [
      { name: "built.yaml", text: withMode(BUILT, modes.built) },
      { name: "strict.yaml", text: strictly(modes.strict) },
      {
        name: "workloads.yaml",
        text: withMode(WORKLOADS, modes.workload).replaceAll("policies: [release]", `policies: [${named}]`),
      },
    ];
    await activatePolicies(house.a.v, house.operator(), { documents, previous: policySet });
  }
  /** The codes of the denial; none where an SVID was granted. */
  const ask = (digest: Digest) =>
    fetchX509(house.a, agentCaller(house.a), digest).then(
      () => [],
      (error: VouchsafeError) => {
        assert.equal(error.code, "identity-denied");
        const { reasons } = error.extensions as { reasons: readonly { code: string; because?: string }[] };
        return reasons.map(({ code, because = "" }) => `${code} ${because}`.trim());
      },
    );
  const report = async (query: Partial<Parameters<typeof reportWouldDeny>[2]>) =>
    (await reportWouldDeny(house.b.v, house.operator(), { limit: 50, ...query })).wouldDeny;

  for (const workload of MODES)
    for (const built of MODES)
      for (const strict of MODES)
        for (const named of [POLICY, STRICT, `${POLICY}, ${STRICT}`])
          test(`nothing is minted that enforcement would refuse: workload ${workload}, built ${built}, strict ${strict}, asked for ${named}`, async () => {
            await activate({ workload, built, strict }, named);
            const codes = await ask(passing);
            const enforced = named
              .split(", ")
              .filter((name) => (name === POLICY ? built : strict) === "enforce");
            const mayGrant = workload === "enforce" && enforced.length > 0 && !enforced.includes(STRICT);
            assert.equal(codes.length === 0, mayGrant, codes.join());
            if (workload === "audit") {
              const wouldGrant = enforced.length > 0 && !enforced.includes(STRICT);
              assert.ok(codes.every((code) => code.startsWith(wouldGrant ? "would-grant" : "would-deny ")));
            }
          });

  test("what a workload policy would deny is reported by policy, workload, artifact and time", async () => {
    await activate({ workload: "audit", built: "enforce", strict: "enforce" }, STRICT);
    const { digest } = await house.release({ workflow: "told" });
    const since = new Date(house.a.v.clock()).toISOString();
    assert.deepEqual(await ask(digest), ["would-deny verdict-failed"]);
    await ask(digest);
    const [line, ...others] = await report({ artifact: digest });
    assert.deepEqual(others, []);
    const { policy, workload, because, count, requester } = line ?? {};
    assert.deepEqual(
      { policy, workload, because, count, requester },
      {
        policy: STRICT,
        workload: "widget",
        because: "verdict-failed",
        // The second is counted for the event that the minute ends with.
        count: 1,
        requester: agentCaller(house.a).name === "node-1" ? agentCaller(house.a).token : "",
      },
    );
    for (const query of [{ policy: STRICT }, { workload: "widget" }, { since }])
      assert.ok((await report(query)).some((one) => one.artifact === digest));
    for (const query of [{ policy: POLICY }, { workload: "beside" }, { since: "2999-01-01T00:00:00Z" }])
      assert.ok(!(await report(query)).some((one) => one.artifact === digest));
    await house.assertHolds(digest);
  });

  test("two workload policies that would deny one program alike are both told of", async () => {
    const [widget = ""] = WORKLOADS.split("---\n");
    const workloads = [widget, widget.replace("name: widget", "name: second").replace("uid:1000", "uid:2000")]
      .map((text) => withMode(text, "audit").replaceAll("policies: [release]", `policies: [${STRICT}]`))
      .join("---\n");
    const { policySet } = await readPolicies(house.a.v, house.operator());
    const documents = [
      { name: "strict.yaml", text: strictly("enforce") },
      { name: "workloads.yaml", text: workloads },
    ];
    await activatePolicies(house.a.v, house.operator(), { documents, previous: policySet });
    const { digest } = await house.release({ workflow: "alike" });
    for (const uid of ["unix:uid:1000", "unix:uid:2000"])
      await assert.rejects(
        issueX509Svids(house.a.v, agentCaller(house.a), {
          csr: newKey().csr,
          selectors: [uid, "unix:path:/opt/widget/widget"],
          components: { executable: [digest] },
        }),
        { code: "identity-denied" },
      );
    assert.deepEqual((await report({ artifact: digest })).map((one) => one.workload).sort(), [
      "second",
      "widget",
    ]);
  });

  test("what a policy that is alone in audit mode would deny is found by its artifact", async () => {
    await activate({ workload: "enforce", built: "enforce", strict: "audit" }, STRICT);
    const { digest } = await house.release({ workflow: "alone" });
    assert.deepEqual(await ask(digest), ["not-enforced", "would-deny"]);
    assert.deepEqual(
      (await report({ artifact: digest })).map((one) => one.policy),
      [STRICT],
    );
  });

  test("what a policy in audit mode would have denied is reported of SVIDs and of what others granted", async () => {
    await activate({ workload: "enforce", built: "enforce", strict: "audit" }, `${POLICY}, ${STRICT}`);
    const { digest } = await house.release({ workflow: "granted" });
    assert.deepEqual(await ask(digest), []);
    const asked = { ...house.operator(), policies: [POLICY, STRICT] };
    const { current } = await recordDecision(house.a.v, asked, {
      artifact: digest,
      policies: [POLICY, STRICT],
      decision: "allow",
      asOf: 1,
      grantedTo: "spiffe://example.org/elsewhere",
      issuer: "broker",
    });
    assert.equal(current, "allow");
    const told = (await report({ artifact: digest })).map((one) => [one.policy, one.workload, one.requester]);
    assert.deepEqual(told, [
      [STRICT, null, "spiffe://example.org/elsewhere"],
      [STRICT, "widget", agentCaller(house.a).token],
    ]);
    await house.assertHolds(digest);
  });

  test("an SVID ends when its workload policy is put into audit mode", async () => {
    await activate({ workload: "enforce", built: "enforce", strict: "audit" }, POLICY);
    const { digest } = await house.release({ workflow: "ended" });
    assert.deepEqual(await ask(digest), []);
    await activate({ workload: "audit", built: "enforce", strict: "audit" }, POLICY);
    assert.deepEqual(await ask(digest), ["would-grant"]);
    assert.deepEqual(await report({ artifact: digest }), []);
  });
});
