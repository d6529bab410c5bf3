import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyPack } from "../../src/custody/verify-pack.ts";
import type { Proposal, Writer } from "../../src/custody/writer.ts";
import { type Digest, sha256 } from "../../src/in-toto-attestation/index.ts";
import { grantApproval, listApprovals, withdrawApproval } from "../../src/services/approvals.ts";
import type { Caller, Role } from "../../src/services/caller.ts";
import type { Vouchsafe } from "../../src/services/context.ts";
import { grantException, withdrawException } from "../../src/services/exceptions.ts";
import { issueSummary } from "../../src/services/issue-summary.ts";
import { pushAttestation } from "../../src/services/push-attestation.ts";
import { openQuarantine } from "../../src/services/quarantine.ts";
import { exportPack } from "../../src/services/read-custody.ts";
import { verifyDigest } from "../../src/services/verify-digest.ts";
import { watchIdentities } from "../../src/services/watch-identities.ts";
import type { TestNode } from "../http/node.ts";
import { RELEASE_POLICY } from "../http/release.ts";
import { actionsClaims, actionsIdentity } from "../sigstore/github-actions.ts";
import { slsaProvenance, statementAbout } from "../sigstore/provenance.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../support/postgres.ts";
import { agentCaller, fetchX509, WORKLOADS } from "./identity-house.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "./release-node.ts";

const HOUR = 3_600_000;
const POLICY = "approved";
/** The workflow in which people approve: its identity is an approver's. */
const REVIEW = actionsClaims({ workflow: ".github/workflows/review.yml" });
const APPROVED_POLICY = RELEASE_POLICY.replace("name: release", `name: ${POLICY}`).replace(
  "spec:",
  `spec:
  approvals:
    required: 2
    from:
      - approver: alice
      - approver: bob
      - approver: octocat
      - {issuer: "https://token.actions.githubusercontent.com", identity: "${actionsIdentity(REVIEW)}"}
    expiresAfter: 2h`,
);

describe("approvals and exceptions", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let node: TestNode;
  before(async () => {
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres, {
      "approved.yaml": APPROVED_POLICY,
      "workloads.yaml": WORKLOADS.replaceAll("policies: [release]", `policies: [${POLICY}]`),
    });
    node = await house.open();
  });
  after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });

  const caller = (name: string, ...roles: Role[]): Caller => ({
    ...callerWith(node, roles, [POLICY]),
    name,
    token: `tok_${name}`,
  });
  const push = async (bytes: Uint8Array) =>
    (await pushAttestation(node.v, caller("ci", "uploader"), { bytes })).attestation.id;

  /** Provenance as the release workflow signs it, which names who triggered it. */
  async function build(bytes: Uint8Array, actor = "octocat"): Promise<Digest> {
    const statement = slsaProvenance([{ name: "widget.tgz", bytes }]);
    const predicate = structuredClone(statement.predicate) as {
      buildDefinition: { internalParameters: { github: Record<string, string> } };
      runDetails: { metadata: { invocationId: string } };
    };
    predicate.buildDefinition.internalParameters.github.actor = actor;
    predicate.runDetails.metadata.invocationId += `/${randomBytes(4).toString("hex")}`;
    return push(await house.sigstore.signStatement({ ...statement, predicate }));
  }
  /** A newer one, which counts in the place of the first: trusted times are whole seconds. */
  async function rebuild(bytes: Uint8Array): Promise<void> {
    await sleep(1_000);
    await build(bytes);
  }
  async function release() {
    const bytes = randomBytes(32);
    const provenance = await build(bytes);
    return { bytes, digest: sha256(bytes), provenance };
  }
  const ask = async (digest: Digest) => {
    const { decision, reasons, slsaLevel, validUntil } = await verifyDigest(
      node.v,
      caller("broker", "issuer"),
      { digest },
    );
    return { decision, reasons, codes: reasons.map(({ code }) => code), slsaLevel, validUntil };
  };
  const approve = (name: string, artifact: string, over = {}, v: Vouchsafe = node.v) =>
    grantApproval(v, caller(name, "approver"), { artifact, policy: POLICY, ...over });
  const except = (artifact: string, over = {}) =>
    grantException(node.v, caller("ops", "operator"), {
      artifact,
      policy: POLICY,
      reason: "the outage",
      owner: "dana",
      expiresAt: new Date(node.v.clock() + HOUR).toISOString(),
      ...over,
    });
  async function assertHolds(digest: Digest) {
    const pack = await exportPack(node.v, caller("audit", "auditor"), digest);
    const report = verifyPack(pack, node.v.log.verifierKey);
    assert.deepEqual(
      report.checks.filter(({ ok }) => !ok),
      [],
    );
    return report.checks;
  }

  test("what passed waits for two who did not build it, and is denied at once when one takes it back", async () => {
    const { digest } = await release();
    const waiting = await ask(digest);
    assert.deepEqual([waiting.decision, waiting.codes], ["deny", ["approval-missing"]]);
    await assert.rejects(fetchX509(node, agentCaller(node), digest), { code: "identity-denied" });

    await assert.rejects(approve("octocat", digest), { code: "approval-refused" });
    await assert.rejects(approve("mallory", digest), { code: "approval-refused" });
    const first = await approve("alice", digest, { reason: "looked at it" });
    assert.equal(first.created, true);
    const again = await approve("alice", digest);
    assert.deepEqual([again.created, again.id, again.index], [false, first.id, first.index]);
    assert.equal(again.receipt.index, first.index);
    assert.equal((await ask(digest)).decision, "deny");

    const second = await approve("bob", digest);
    const allowed = await ask(digest);
    assert.deepEqual([allowed.decision, allowed.codes], ["allow", ["verdict-passed", "approved"]]);
    assert.equal(allowed.slsaLevel, 3);
    const { policies, approvals } = await listApprovals(node.v, caller("audit", "auditor"), digest);
    assert.deepEqual([approvals.length, policies[0]?.policy, policies[0]?.approved], [2, POLICY, true]);

    const agent = agentCaller(node);
    const { asOf } = await watchIdentities(node.v, agent, undefined, AbortSignal.timeout(1000));
    const { certificates } = await fetchX509(node, agent, digest);
    assert.equal(certificates.length, 1);
    const summary = await issueSummary(node.v, caller("broker", "issuer"), { digest });
    assert.equal(summary.case, "summary");

    const { id } = second;
    const request = { artifact: digest, id, reason: "a leak" };
    await assert.rejects(withdrawApproval(node.v, caller("alice", "approver"), request), {
      code: "forbidden",
    });
    await withdrawApproval(node.v, caller("bob", "approver"), request);
    const operator = caller("ops", "operator");
    await assert.rejects(withdrawApproval(node.v, operator, request), { code: "not-found" });
    assert.deepEqual((await ask(digest)).codes, ["approval-missing"]);
    const told = await watchIdentities(node.v, agent, asOf, AbortSignal.timeout(1000));
    assert.deepEqual(told.touched, [digest]);
    await assert.rejects(fetchX509(node, agent, digest), { code: "identity-denied" });
    const checks = await assertHolds(digest);
    assert.equal(checks.filter(({ check }) => check === "approval").length, 3);
  });

  test("an approval in an attestation counts beside one at the door, and a newer one takes it back", async () => {
    const { digest, bytes, provenance } = await release();
    const { policyHash } = await approve("alice", digest);
    const sign = async (over: object) =>
      push(
        await house.sigstore.signStatement(
          statementAbout([{ name: "widget.tgz", bytes }], "https://vouchsafe.dev/approval/v1", {
            policy: { name: POLICY, digest: { sha256: policyHash.slice("sha256:".length) } },
            attestations: [{ digest: { sha256: provenance.slice("sha256:".length) } }],
            ...over,
          }),
          { claims: REVIEW },
        ),
      );
    await sign({});
    assert.deepEqual((await ask(digest)).codes, ["verdict-passed", "approved"]);
    await fetchX509(node, agentCaller(node), digest);
    await sign({ withdrawn: true });
    assert.deepEqual((await ask(digest)).codes, ["approval-missing"]);
    await assertHolds(digest);
  });

  test("approvals end with their time, and with what they are of", async () => {
    const { digest, bytes } = await release();
    await approve("alice", digest);
    node.advance(HOUR);
    await approve("bob", digest);
    const { decision, validUntil } = await ask(digest);
    assert.equal(decision, "allow");
    node.advance(HOUR);
    assert.ok(Date.parse(validUntil ?? "") <= node.v.clock());
    assert.deepEqual((await ask(digest)).codes, ["approval-missing"]);
    await approve("alice", digest);
    assert.equal((await ask(digest)).decision, "allow");
    await rebuild(bytes);
    const other = await ask(digest);
    assert.deepEqual(other.codes, ["approval-missing"]);
    assert.match(other.reasons[0]?.message ?? "", /of other evidence/);
  });

  test("what was looked at is approved and nothing else: evidence that changes meanwhile is a conflict", async () => {
    const { digest, bytes, provenance } = await release();
    const { policies } = await listApprovals(node.v, caller("alice", "approver"), digest);
    const seen = { policyHash: policies[0]?.policyHash, attestations: policies[0]?.attestations };
    assert.deepEqual(seen.attestations, [provenance]);
    const append: Writer["append"] = async (proposal: Proposal) => {
      if (proposal.events.some(({ type }) => type === "approval.granted")) await rebuild(bytes);
      return node.v.writer.append(proposal);
    };
    const raced = { ...node.v, writer: { ...node.v.writer, append } };
    await assert.rejects(approve("alice", digest, {}, raced), { code: "conflict" });
    await assert.rejects(approve("alice", digest, seen), { code: "conflict" });
    await assert.rejects(approve("alice", digest, { policyHash: seen.policyHash }), {
      code: "invalid-request",
    });
    const { approvals } = await listApprovals(node.v, caller("alice", "approver"), digest);
    assert.deepEqual(approvals, []);
  });

  test("what has not passed, or asks for no approvals, is not approved", async () => {
    const unknown = sha256(randomBytes(32));
    await assert.rejects(approve("alice", unknown), { code: "conflict" });
    const { digest } = await release();
    await assert.rejects(approve("alice", digest, { policy: "release" }), { code: "conflict" });
    await assert.rejects(approve("alice", digest, { policy: "no-such" }), { code: "conflict" });
  });

  test("an exception lets through what is denied until it ends, loudly, and no summary rests on it", async () => {
    const { digest } = await release();
    const failing = await ask(digest);
    assert.equal(failing.decision, "deny");
    const { id } = await except(digest);
    const allowed = await ask(digest);
    assert.deepEqual([allowed.decision, allowed.codes, allowed.slsaLevel], ["allow", ["exception"], 0]);
    assert.equal(allowed.reasons[0]?.exception?.owner, "dana");

    const { certificates } = await fetchX509(node, agentCaller(node), digest);
    assert.ok(Date.parse(certificates[0]?.validTo ?? "") <= Date.parse(allowed.validUntil ?? ""));
    const summary = await issueSummary(node.v, caller("broker", "issuer"), { digest });
    assert.ok(summary.case === "denied");
    assert.deepEqual(
      JSON.parse(summary.json).reasons.map(({ code }: { code: string }) => code),
      ["exception", "approval-missing"],
    );

    await openQuarantine(node.v, caller("ops", "operator"), { artifact: digest, reason: "leaks" });
    assert.deepEqual((await ask(digest)).codes, ["quarantined"]);
    node.advance(HOUR);
    assert.deepEqual((await ask(digest)).codes, ["quarantined", "approval-missing"]);
    const request = { artifact: digest, id, reason: "over" };
    await withdrawException(node.v, caller("ops", "operator"), request);
    await assertHolds(digest);
  });

  test("an exception that is withdrawn denies at once", async () => {
    const { digest } = await release();
    const { id } = await except(digest);
    assert.equal((await ask(digest)).decision, "allow");
    const request = { artifact: digest, id, reason: "over" };
    await withdrawException(node.v, caller("ops", "operator"), request);
    assert.equal((await ask(digest)).decision, "deny");
    await assert.rejects(withdrawException(node.v, caller("ops", "operator"), request), {
      code: "not-found",
    });
  });

  const REFUSED: readonly (readonly [string, object, string])[] = [
    ["for more than 72 hours", { expiresAt: hoursAhead(73) }, "invalid-request"],
    ["that has ended", { expiresAt: hoursAhead(-1) }, "invalid-request"],
    ["without a time", { expiresAt: "tomorrow" }, "invalid-request"],
    ["to a policy that is not active", { policy: "no-such" }, "not-found"],
    [
      "of a digest that cannot ground",
      { artifact: `sha1:${"a".repeat(40)}` },
      "unsupported-digest-algorithm",
    ],
  ];
  for (const [what, over, code] of REFUSED) {
    test(`no exception is given ${what}`, async () => {
      await assert.rejects(except(sha256("any"), over), { code });
    });
  }
});

/** The suite's own clock runs up to three hours ahead. */
function hoursAhead(hours: number): string {
  return new Date(Date.now() + (hours + Math.sign(hours) * 3) * HOUR).toISOString();
}
