import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { readEvents } from "../../../src/db/log.ts";
import { VouchsafeError } from "../../../src/errors.ts";
import { validateX509Svid } from "../../../src/identity/x509-validation.ts";
import { canonicalJson } from "../../../src/in-toto-attestation/json.ts";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { issueSummary } from "../../../src/services/decisions/issue-summary.ts";
import { recordDecision } from "../../../src/services/decisions/record-decision.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import type { TestNode } from "../../http/node.ts";
import { packOf } from "../../support/packs.ts";
import { agentCaller, fetchX509, release, WORKLOADS } from "../identities/identity-house.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

/** Nobody scans here: it would deny everything. */
const SCAN = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: scan }
spec:
  mode: audit
  artifacts: { names: ["**"] }
  signers: [{ key: scanner }]
`;
/** One workload policy that names both, and one (of the agent `other`) that names the audited policy alone. */
const [BOTH = "", ALONE = ""] = WORKLOADS.split("---\n");
const REGISTERED = [
  BOTH.replace("policies: [release]", "policies: [release, scan]"),
  ALONE.replace("policies: [release]", "policies: [scan]"),
].join("---\n");

describe("a policy that is tried in audit mode", () => {
  let house: ReleaseHouse;
  let node: TestNode;

  before(async () => {
    house = await openReleaseHouse(undefined, { "scan.yaml": SCAN, "workloads.yaml": REGISTERED });
    node = await house.open();
  });
  after(() => house.close());

  const ask = (digest: string, policies: readonly string[]) =>
    verifyDigest(node.v, callerWith(node, ["issuer"], policies), { digest });
  const summarize = (digest: string, policies: readonly string[]) =>
    issueSummary(node.v, callerWith(node, ["issuer"], policies), { digest });

  async function bodyAt(index: number) {
    const [event] = await readEvents(node.v.database.kysely, node.v.project, [index]);
    assert.ok(event);
    return event.body;
  }

  async function verifiesOffline(digest: string): Promise<void> {
    const pack = await packOf(node.v, callerWith(node, ["auditor"]), digest);
    const failed = verifyPack(pack, node.v.log.verifierKey).checks.filter(({ status }) => status === "fails");
    assert.deepEqual(failed, []);
  }

  test("denies nothing beside an enforced one, and every answer tells what it would have denied", async () => {
    const { digest, receipt } = await release(house, node);
    const { decision, enforced, reasons, policies, slsaLevel } = await ask(digest, ["release", "scan"]);
    assert.deepEqual([decision, enforced, slsaLevel], ["allow", true, 3]);
    assert.deepEqual(
      reasons.map(({ code, policy }) => [code, policy]),
      [
        ["verdict-passed", "release"],
        ["would-deny", "scan"],
      ],
    );
    assert.deepEqual(
      policies.map(({ policy, mode, outcome }) => [policy, mode, outcome]),
      [
        ["release", "enforce", "passed"],
        ["scan", "audit", "failed"],
      ],
    );

    const { svids } = await fetchX509(node, agentCaller(node), digest);
    const [svid] = svids;
    assert.ok(svid);
    const chain = svid.chain.map((der) => Buffer.from(der, "base64"));
    const { grounds } = validateX509Svid(chain, node.v.authority.bundle(), Date.now());
    assert.deepEqual([grounds?.policies, grounds?.verdicts], [["release"], [receipt.index + 1]]);
    const { wouldDeny } = await bodyAt(svid.receipt.index);
    assert.equal(canonicalJson(wouldDeny ?? null), canonicalJson([{ digest, policy: "scan" }]));

    const summary = await summarize(digest, ["release", "scan"]);
    assert.equal(summary.case, "summary");
    const { payload } = JSON.parse(summary.envelope);
    assert.match(
      JSON.parse(Buffer.from(payload, "base64").toString()).predicate.policy.uri,
      /policies\/release$/,
    );
    await verifiesOffline(digest);
  });

  test("vouches for nothing alone: an allow that is not enforced, no identity and no summary", async () => {
    const { digest } = await release(house, node);
    const { decision, enforced, slsaLevel, asOf } = await ask(digest, ["scan"]);
    assert.deepEqual([decision, enforced, slsaLevel], ["allow", false, 0]);

    await assert.rejects(fetchX509(node, agentCaller(node, "other"), digest), (error: unknown) => {
      assert.ok(error instanceof VouchsafeError && error.code === "identity-denied");
      const [reason] = error.extensions.reasons as readonly { readonly code: string }[];
      return reason?.code === "not-enforced";
    });
    const summary = await summarize(digest, ["scan"]);
    assert.ok(summary.case === "denied");
    const answer = JSON.parse(summary.json);
    assert.deepEqual([answer.decision, answer.reasons[0].code], ["deny", "not-enforced"]);

    const recorded = await recordDecision(node.v, callerWith(node, ["issuer"]), {
      artifact: digest,
      policies: ["scan"],
      decision: "allow",
      asOf,
      grantedTo: "spiffe://example.org/widget",
      issuer: "spire",
    });
    assert.deepEqual([recorded.current, recorded.enforced], ["allow", false]);
    assert.equal((await bodyAt(recorded.receipt.index)).enforced, false);
    await verifiesOffline(digest);
  });

  test("denies as soon as it is enforced", async () => {
    const { digest } = await release(house, node);
    assert.equal((await ask(digest, ["release", "scan"])).decision, "allow");
    const operator = callerWith(node, ["operator"]);
    const { documents, policySet: previous, policies } = await readPolicies(node.v, operator);
    assert.deepEqual(
      policies.map(({ name, mode }) => [name, mode]),
      [
        ["release", "enforce"],
        ["scan", "audit"],
      ],
    );
    const enforced = documents.map(({ name, text }) => ({
      name,
      text: text.replace("mode: audit", "mode: enforce"),
    }));
    await activatePolicies(node.v, operator, { documents: enforced, previous });
    assert.equal((await ask(digest, ["release", "scan"])).decision, "deny");
    await assert.rejects(fetchX509(node, agentCaller(node), digest), { code: "identity-denied" });
    await verifiesOffline(digest);
  });
});
