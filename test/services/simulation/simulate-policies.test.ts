import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { readHead } from "../../../src/db/log.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import type { PolicyFile } from "../../../src/policy/load.ts";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { activateTrust, readTrust } from "../../../src/services/activation/activate-trust.ts";
import { reevaluate } from "../../../src/services/decisions/reevaluate.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import { revokeEvidence, withdrawRevocation } from "../../../src/services/incidents/revocations.ts";
import {
  type Simulation,
  type SimulationRequest,
  simulatePolicies,
} from "../../../src/services/simulation/simulate-policies.ts";
import { call } from "../../http/calls.ts";
import type { TestNode } from "../../http/node.ts";
import { RELEASE_POLICY } from "../../http/release.ts";
import { type ActionsRun, actionsClaims } from "../../sigstore/github-actions.ts";
import { slsaProvenance, statementAbout } from "../../sigstore/provenance.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { BOTH, DEV, files, REVIEW, REVIEWED, REVIEWED_COMMIT } from "../edited-policies.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  openIdentityHouse,
  WORKLOADS,
} from "../identities/identity-house.ts";
import { callerWith } from "../release-node.ts";

describe("simulating an edit of policies", () => {
  let postgres: TestPostgres;
  let house: IdentityHouse;
  let node: TestNode;
  let built: { main: Digest; other: Digest; dev: Digest };
  /** Log sizes after each. */
  const sizes: number[] = [];

  before(async () => {
    postgres = await createPostgres();
    house = await openIdentityHouse(postgres);
    node = await house.open();
    const push = async (run: ActionsRun = {}) => {
      const artifact = { name: "widget", bytes: randomBytes(32) };
      const claims = actionsClaims(run);
      const bytes = await house.sigstore.signStatement(slsaProvenance([artifact], claims), { claims });
      await pushAttestation(node.v, callerWith(node, ["uploader"]), { bytes });
      sizes.push((await readHead(node.v.database.kysely)).size);
      return sha256(artifact.bytes);
    };
    built = {
      main: await push(),
      other: await push({ sha: REVIEWED_COMMIT }),
      dev: await push({ ref: "refs/heads/dev" }),
    };
  });
  after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });

  async function simulate(
    documents: readonly PolicyFile[],
    asOf?: SimulationRequest["asOf"],
  ): Promise<Simulation> {
    const request = { documents, ...(asOf && { asOf }) };
    for await (const step of simulatePolicies(node.v, { project: node.v.project }, request)) {
      if (step.case === "result") return step.result;
    }
    throw new assert.AssertionError({ message: "no result" });
  }

  async function activate(documents: readonly PolicyFile[]) {
    const operator = callerWith(node, ["operator"]);
    const { policySet: previous } = await readPolicies(node.v, operator);
    await activatePolicies(node.v, operator, { documents, previous });
  }

  /** Digests that the active policy passes. */
  async function passing(): Promise<Digest[]> {
    await reevaluate(node.v, node.v.project, Object.values(built), ["release"]);
    const verdicts = node.v.database.kysely.selectFrom("verdicts").select(["artifact", "outcome"]);
    const rows = await verdicts.where("policy", "=", "release").execute();
    return rows.flatMap(({ artifact, outcome }) => (outcome === "passed" ? [artifact as Digest] : []));
  }

  const release = ({ policies }: Simulation) => {
    const found = policies.find(({ name }) => name === "release");
    assert.ok(found);
    return found;
  };

  test("both ways, with the checks that decide one of them, and what it is as of", async () => {
    const simulation = await simulate(files(DEV));
    const { change, denied, allowed, passedBefore, passedAfter } = release(simulation);
    assert.deepEqual([change, passedBefore, passedAfter, simulation.artifacts], ["changed", 2, 1, 3]);
    assert.deepEqual([denied.count, denied.first], [2, [built.main, built.other]]);
    assert.deepEqual([allowed.count, allowed.first], [1, [built.dev]]);
    for (const { checks } of [denied, allowed]) {
      assert.deepEqual(
        checks.map(({ check }) => check).filter((check) => check.startsWith("source")),
        ["source.ref"],
      );
    }
    assert.equal(simulation.asOf.size, (await readHead(node.v.database.kysely)).size);
  });

  test("without evidence that is revoked, and with it as of before", async () => {
    const request = { target: { artifact: built.main }, reason: "leaked" };
    const { id, index } = await revokeEvidence(node.v, callerWith(node, ["operator"]), request);
    assert.deepEqual(release(await simulate(files(DEV))).denied.first, [built.other]);
    const before = release(await simulate(files(DEV), { case: "size", size: index }));
    assert.deepEqual(before.denied.first, [built.main, built.other]);
    await withdrawRevocation(node.v, callerWith(node, ["operator"]), { id, reason: "a test" });
  });

  test("policies that are added pass what they would, and those taken away nothing", async () => {
    const added = `${RELEASE_POLICY.replace("name: release", "name: again")}`;
    const { policies } = await simulate([...files(RELEASE_POLICY), { name: "added.yaml", text: added }]);
    assert.deepEqual(
      policies.map(({ name, change, denied, allowed }) => [name, change, denied.count, allowed.count]),
      [
        ["again", "added", 0, 2],
        ["release", "unchanged", 0, 0],
      ],
    );
    const { policies: taken } = await simulate([{ name: "added.yaml", text: added }]);
    assert.deepEqual(
      taken.map(({ name, change, denied, allowed }) => [name, change, denied.count, allowed.count]),
      [
        ["again", "added", 0, 2],
        ["release", "removed", 2, 0],
      ],
    );
  });

  test("running workloads that would be denied, by their SPIFFE IDs, and why", async () => {
    const { svids } = await fetchX509(node, agentCaller(node), built.main);
    const [{ spiffeId = "" } = {}] = svids;
    await fetchX509(node, agentCaller(node, "node-2"), built.other);
    const codes = ({ workloads: { workloads } }: Simulation) =>
      workloads.map(({ spiffeId, reasons, active }) => [spiffeId, reasons[0]?.code, active]);

    const unchanged = await simulate(files(RELEASE_POLICY));
    assert.deepEqual(unchanged.workloads, { running: 2, denied: 0, deniedAlready: 0, workloads: [] });

    const denied = await simulate(files(DEV));
    assert.deepEqual([denied.workloads.denied, denied.workloads.deniedAlready], [2, 0]);
    assert.ok(
      codes(denied).some(
        ([id, code, active]) => id === spiffeId && code === "verdict-failed" && active === "allow",
      ),
    );

    const unregistered = await simulate(
      files(RELEASE_POLICY, WORKLOADS.replace("agent/node-*", "agent/node-2")),
    );
    assert.deepEqual(codes(unregistered), [[spiffeId, "no-workload-policy", "allow"]]);

    const elsewhere = await simulate(
      files(RELEASE_POLICY, WORKLOADS.replace("/widget/{digest}", "/gadget/{digest}")),
    );
    assert.equal(elsewhere.workloads.denied, 2);

    await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: built.main, reason: "bad" });
    const quarantined = await simulate(files(RELEASE_POLICY));
    assert.deepEqual(codes(quarantined), [[spiffeId, "quarantined", "deny"]]);
    const before = await simulate(files(DEV), { case: "size", size: sizes[2] ?? 0 });
    assert.equal(before.workloads.running, 0);
  });

  test("as of a log size and of a time", async () => {
    const [first = 0, second = 0] = sizes;
    const one = release(await simulate(files(DEV), { case: "size", size: first }));
    assert.deepEqual([one.denied.first, one.allowed.count], [[built.main], 0]);
    const { asOf } = await simulate(files(DEV), { case: "size", size: second });
    const two = await simulate(files(DEV), { case: "time", time: Date.parse(asOf.time) });
    assert.deepEqual([two.asOf, release(two).denied.count], [asOf, 2]);

    await activate(files(BOTH));
    const then = release(await simulate(files(BOTH), { case: "size", size: second }));
    assert.deepEqual([then.change, then.denied.count, then.allowed.count], ["changed", 0, 0]);
    await activate(files(RELEASE_POLICY));

    for (const asOf of [
      { case: "size", size: 0 },
      { case: "size", size: 1_000_000 },
      { case: "time", time: Date.now() + 60_000 },
    ] as const) {
      await assert.rejects(simulate(files(DEV), asOf), { code: "invalid-request" });
    }
  });

  test("what it says is what activation and evaluation then do", async () => {
    const subject = [{ digest: { gitCommit: REVIEWED_COMMIT } }];
    const review = { ...statementAbout([], REVIEW, { result: "pass" }), subject };
    const bytes = await house.sigstore.signStatement(review);
    await pushAttestation(node.v, callerWith(node, ["uploader"]), { bytes });
    const unreviewed = await simulate(files(REVIEWED), { case: "size", size: sizes[2] ?? 0 });
    assert.equal(release(unreviewed).passedAfter, 0);
    const witnesses = (count: number) => `${RELEASE_POLICY}  thresholds: {logEntries: ${count}}\n`;
    const edits: readonly (readonly [string, denied: number, allowed: number])[] = [
      [DEV, 2, 1],
      [BOTH, 0, 2],
      [RELEASE_POLICY, 1, 0],
      [REVIEWED, 1, 0],
      [witnesses(1), 0, 1],
      [witnesses(2), 2, 0],
      [`${BOTH}  maxAge: 90d\n`, 0, 3],
      [RELEASE_POLICY, 1, 0],
    ];
    for (const [next, ...counts] of edits) {
      const before = await passing();
      const { denied, allowed, change } = release(await simulate(files(next)));
      await activate(files(next));
      const after = await passing();
      const only = (these: readonly Digest[], others: readonly Digest[]) =>
        these.filter((digest) => !others.includes(digest)).sort();
      assert.equal(change, "changed");
      assert.deepEqual([denied.count, allowed.count], counts, next);
      assert.deepEqual(denied.first.toSorted(), only(before, after), next);
      assert.deepEqual(allowed.first.toSorted(), only(after, before), next);
    }
  });

  test("nothing is written", async () => {
    const written = async () => {
      const verdicts = await node.v.database.kysely
        .selectFrom("verdicts")
        .selectAll()
        .orderBy("artifact")
        .orderBy("policy")
        .execute();
      return [(await readHead(node.v.database.kysely)).size, verdicts];
    };
    const before = await written();
    await simulate(files(DEV));
    assert.deepEqual(await written(), before);
  });

  test("a set that does not load, and a second simulation beside one", async () => {
    await assert.rejects(
      simulate(files(RELEASE_POLICY.replace("signers", "singers"))),
      (error: { code?: string; extensions?: { diagnostics: unknown[] } }) => {
        assert.equal(error.code, "invalid-policy");
        assert.ok(error.extensions?.diagnostics.length);
        return true;
      },
    );
    const one = simulatePolicies(node.v, { project: node.v.project }, { documents: files(DEV) });
    await one.next();
    await assert.rejects(simulate(files(DEV)), { code: "unavailable" });
    await one.return(undefined);
    assert.equal(release(await simulate(files(DEV))).denied.count, 2);
  });

  test("over HTTP in lines, of which the last is the result; for auditors too", async () => {
    const [auditor, uploader] = [await node.token(["auditor"]), await node.token(["uploader"])];
    const ask = (as: string, json: object) => call(node.app, "POST /policies/simulate", { as, json });
    const documents = files(DEV);
    const { body } = await ask(auditor, { documents });
    const lines = body
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(lines[0], { case: "progress", attestations: 0, of: 4 });
    assert.deepEqual(release(lines.at(-1).result), release(await simulate(documents)));
    const { result } = JSON.parse(
      (await ask(auditor, { documents, asOf: 1 })).body.trim().split("\n").at(-1) ?? "",
    );
    assert.deepEqual([result.asOf.size, result.active, result.artifacts], [1, null, 0]);

    const code = async (as: string, json: object) => (await ask(as, json)).json().code;
    assert.equal(await code(uploader, { documents }), "forbidden");
    assert.equal(await code(auditor, { documents, asOf: "2026-02-30T00:00:00Z" }), "invalid-request");
    assert.equal(await code(auditor, { documents, asOf: 1_000_000 }), "invalid-request");
    assert.equal(
      await code(auditor, { documents: [{ name: "x.yaml", text: "not: [a policy" }] }),
      "invalid-policy",
    );
  });

  test("evidence under trust that was taken away counts no more, and as of before it does", async () => {
    const operator = callerWith(node, ["operator"]);
    const { trust: previous } = await readTrust(node.v, operator);
    const { size } = await readHead(node.v.database.kysely);
    await activateTrust(node.v, operator, { document: { sigstore: [], keys: [] }, previous });
    const { passedBefore, passedAfter } = release(await simulate(files(BOTH)));
    assert.deepEqual([passedBefore, passedAfter], [0, 0]);
    assert.equal(release(await simulate(files(BOTH), { case: "size", size })).passedAfter, 3);
  });
});
