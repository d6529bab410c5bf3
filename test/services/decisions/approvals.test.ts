import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Proposal, Writer } from "../../../src/custody/writer.ts";
import { sha256 } from "../../../src/in-toto-attestation/index.ts";
import { listApprovals, withdrawApproval } from "../../../src/services/decisions/approvals.ts";
import { withdrawException } from "../../../src/services/decisions/exceptions.ts";
import { issueSummary } from "../../../src/services/decisions/issue-summary.ts";
import { watchIdentities } from "../../../src/services/identities/watch-identities.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import { revokeEvidence } from "../../../src/services/incidents/revocations.ts";
import { fails, succeeds } from "../../http/calls.ts";
import { statementAbout } from "../../sigstore/provenance.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { agentCaller, fetchX509 } from "../identities/identity-house.ts";
import { type ApprovalHouse, HOUR, openApprovalHouse, POLICY, REVIEW } from "./approval-house.ts";

describe("approvals and exceptions", () => {
  let postgres: TestPostgres;
  let opened: ApprovalHouse;
  let node: ApprovalHouse["node"];
  let caller: ApprovalHouse["caller"];
  let release: ApprovalHouse["release"];
  let ask: ApprovalHouse["ask"];
  let approve: ApprovalHouse["approve"];
  let except: ApprovalHouse["except"];
  let assertHolds: ApprovalHouse["assertHolds"];
  before(async () => {
    postgres = await createPostgres();
    opened = await openApprovalHouse(postgres);
    ({ node, caller, release, ask, approve, except, assertHolds } = opened);
  });
  after(async () => {
    await opened.house.close();
    await postgres.drop();
    await stopPostgres();
  });

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
      opened.push(
        await opened.house.sigstore.signStatement(
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

  test("an approval in an attestation that is revoked counts no more, and falls beside what it approved", async () => {
    const { digest, bytes, provenance } = await release();
    const { policyHash } = await approve("alice", digest);
    const predicate = {
      policy: { name: POLICY, digest: { sha256: policyHash.slice("sha256:".length) } },
      attestations: [{ digest: { sha256: provenance.slice("sha256:".length) } }],
    };
    const statement = statementAbout(
      [{ name: "widget.tgz", bytes }],
      "https://vouchsafe.dev/approval/v1",
      predicate,
    );
    const attestation = await opened.push(
      await opened.house.sigstore.signStatement(statement, { claims: REVIEW }),
    );
    assert.equal((await ask(digest)).decision, "allow");
    const request = { target: { attestation }, reason: "his account was stolen" };
    const { falls } = await revokeEvidence(node.v, caller("ops", "operator"), request);
    assert.deepEqual(falls?.artifacts, [{ digest, policies: [POLICY] }]);
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
    await opened.rebuild(bytes);
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
      if (proposal.events.some(({ type }) => type === "approval.granted")) await opened.rebuild(bytes);
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

  test("the doors answer as they are described", async () => {
    const { digest } = await release();
    const [alice, ops] = [await node.token(["approver"], { name: "alice" }), await node.token(["operator"])];
    const [approvals, exceptions] = ["/artifacts/:digest/approvals", "/artifacts/:digest/exceptions"];
    const at = (id?: string) => ({ params: { digest, ...(id !== undefined && { id }) } });
    const json = { policy: POLICY, reason: "looked at it" };
    const { id } = await succeeds(node.app, 201, `POST ${approvals}`, { as: alice, ...at(), json });
    await succeeds(node.app, 200, `POST ${approvals}`, { as: alice, ...at(), json });
    await fails(node.app, "conflict", `POST ${approvals}`, {
      as: alice,
      ...at(),
      json: { policy: "release" },
    });
    const mallory = await node.token(["approver"], { name: "mallory" });
    await fails(node.app, "approval-refused", `POST ${approvals}`, { as: mallory, ...at(), json });
    await succeeds(node.app, 200, `GET ${approvals}`, { as: ops, ...at() });

    const expiresAt = new Date(node.v.clock() + HOUR).toISOString();
    const asked = { policy: POLICY, reason: "outage", owner: "dana", expiresAt };
    const exception = await succeeds(node.app, 201, `POST ${exceptions}`, { as: ops, ...at(), json: asked });
    const { exceptions: all } = await succeeds(node.app, 200, "GET /exceptions", { as: ops });
    assert.ok(all.some((one: { id: string }) => one.id === exception.id));
    const known = await succeeds(node.app, 200, "GET /artifacts/:digest", { as: ops, ...at() });
    assert.deepEqual([known.approvals.length, known.exceptions.length], [1, 1]);
    const query = { digest, policy: POLICY };
    const broker = await node.token(["issuer"], { policies: [POLICY] });
    const told = await succeeds(node.app, 200, "GET /verify-digest", { as: broker, query });
    assert.equal(told.reasons[0].exception.id, exception.id);

    const over = { json: { reason: "over" } };
    await succeeds(node.app, 200, `POST ${exceptions}/:id/withdraw`, {
      as: ops,
      ...at(exception.id),
      ...over,
    });
    await succeeds(node.app, 200, `POST ${approvals}/:id/withdraw`, { as: alice, ...at(id), ...over });
    await fails(node.app, "not-found", `POST ${approvals}/:id/withdraw`, { as: ops, ...at("x"), ...over });
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
