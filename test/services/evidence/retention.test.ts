import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { readChain, readHead } from "../../../src/db/log.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { sweepEvidence } from "../../../src/services/evidence/expire-evidence.ts";
import { listHolds, placeHold, releaseHold } from "../../../src/services/evidence/holds.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { readEvidence } from "../../../src/services/evidence/read-attestation.ts";
import { assignRetention, readRetention } from "../../../src/services/evidence/retention-classes.ts";
import { fsck } from "../../../src/services/log/fsck.ts";
import { fails, succeeds } from "../../http/calls.ts";
import type { TestNode } from "../../http/node.ts";
import { actionsClaims } from "../../sigstore/github-actions.ts";
import { slsaProvenance, statementAbout } from "../../sigstore/provenance.ts";
import { packOf } from "../../support/packs.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { agentCaller, fetchX509, WORKLOADS } from "../identities/identity-house.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";
import { DAY, RETENTION, SCAN, SCANNED } from "./retention-policies.ts";

describe("retention", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let a: TestNode;
  let b: TestNode;

  before(async () => {
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres, {
      "retention.yaml": RETENTION,
      "scanned.yaml": SCANNED,
      "workloads.yaml": WORKLOADS,
    });
    [a, b] = await Promise.all([house.open(), house.open()]);
  });
  after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });
  // What is left of the test before is due: it is out of the way.
  beforeEach(async () => {
    await sweep();
  });

  const operator = (node = a) => callerWith(node, ["operator"]);
  const sweep = (node = a, options = {}) => sweepEvidence(node.v, operator(node), options);
  const push = (bytes: Uint8Array) => pushAttestation(a.v, operator(), { bytes });
  const pass = (days: number) => {
    for (const node of [a, b]) node.advance(days * DAY);
  };

  /** An attestation about so many artifacts, as it was pushed. */
  async function released(count = 1): Promise<{ bytes: Uint8Array; id: Digest; digests: readonly Digest[] }> {
    const artifacts = Array.from({ length: count }, (_, i) => ({
      name: `widget-${i}`,
      bytes: randomBytes(32),
    }));
    const bytes = await house.sigstore.signStatement(slsaProvenance(artifacts));
    await push(bytes);
    return { bytes, id: sha256(bytes), digests: artifacts.map(({ bytes }) => sha256(bytes)) };
  }
  /** Another attestation about an artifact that was released. */
  async function attestedAgain(bytes: Uint8Array): Promise<Digest> {
    const again = await house.sigstore.signStatement(slsaProvenance([{ name: "widget-0", bytes }]));
    await push(again);
    return sha256(again);
  }
  async function releasedOne() {
    const { digests, ...rest } = await released();
    const [digest] = digests;
    assert.ok(digest);
    return { ...rest, digest };
  }

  async function ask(digest: Digest) {
    const { size } = await readHead(b.v.database.kysely);
    const { decision } = await verifyDigest(b.v, callerWith(b, ["issuer"]), { digest, minSize: size });
    return decision;
  }
  const typesOf = async (digest: Digest) =>
    (await readChain(a.v.database.kysely, a.v.project, digest)).map(({ type }) => type);
  const isThere = async (id: Digest) => {
    try {
      return sha256((await readEvidence(b.v, operator(b), id)).bytes) === id;
    } catch (error) {
      assert.equal((error as { code?: string }).code, "evidence-expired");
      return false;
    }
  };

  test("takes the bytes of what its class keeps no longer, and leaves what the log proves", async () => {
    const { bytes, id, digest } = await releasedOne();
    assert.deepEqual((await sweep()).expired, []);
    assert.equal(await ask(digest), "allow");
    pass(31);
    const { expired } = await sweep(a, { dryRun: true });
    assert.deepEqual(
      expired.map((one) => [one.attestation, one.artifacts, one.class, one.index]),
      [[id, [digest], "standard", null]],
    );
    assert.ok(await isThere(id), "a dry run does nothing");

    const [done] = (await sweep()).expired;
    assert.equal(done?.attestation, id);
    assert.equal(await isThere(id), false);
    await assert.rejects(push(bytes), { code: "evidence-expired" }, "what was deleted is not taken again");
    assert.equal(await ask(digest), "deny");
    assert.deepEqual(await typesOf(digest), [
      "evidence.accepted",
      "verdict.passed",
      "evidence.expired",
      "verdict.failed",
    ]);
    const report = verifyPack(await packOf(b.v, operator(b), digest), b.v.log.verifierKey);
    assert.ok(report.ok, JSON.stringify(report.checks.filter(({ status }) => status === "fails")));
    const states = new Map(report.checks.map(({ check, event, status }) => [`${check} ${event}`, status]));
    assert.deepEqual(
      [...states.values()].filter((status) => status === "not-re-verifiable").length,
      2,
      "the evidence, and the pass that rested on it",
    );
    const expiry = report.events.find(({ type }) => type === "evidence.expired");
    await assert.rejects(packOf(b.v, operator(b), digest, expiry?.index), { code: "evidence-expired" });
    assert.deepEqual((await sweep()).expired, [], "once");
  });

  test("keeps what is held, until the last hold is released", async () => {
    const { id, digest } = await releasedOne();
    const holds = [
      await placeHold(a.v, operator(), { artifact: digest, reason: "Doe v. Acme" }),
      await placeHold(b.v, operator(b), { artifact: digest, reason: "Roe v. Acme" }),
    ];
    const { holds: listed } = await listHolds(a.v, operator());
    assert.deepEqual(
      listed.filter(({ artifact }) => artifact === digest).map(({ reason }) => reason),
      ["Doe v. Acme", "Roe v. Acme"],
    );
    pass(31);
    for (const hold of holds) {
      const swept = await sweep();
      assert.deepEqual([swept.expired, swept.held], [[], 1]);
      assert.equal((await readRetention(a.v, operator(), digest)).evidence[0]?.state, "held");
      assert.ok(await isThere(id));
      await releaseHold(a.v, operator(), { id: hold.id, reason: "settled" });
      await assert.rejects(releaseHold(a.v, operator(), { id: hold.id, reason: "again" }), {
        code: "not-found",
      });
    }
    await sweep();
    assert.equal(await isThere(id), false);
  });

  test("keeps evidence about several artifacts for the one that is kept longest", async () => {
    const { id, digests } = await released(3);
    const [artifact = ""] = digests;
    await assert.rejects(assignRetention(a.v, operator(), { artifact, class: "eternal", reason: "typed" }), {
      code: "not-found",
    });
    await assignRetention(a.v, operator(), { artifact, class: "court", reason: "regulator" });
    const shown = await readRetention(a.v, operator(), artifact);
    assert.deepEqual([shown.class, shown.isAssigned, shown.evidence[0]?.keptUntil], ["court", true, null]);
    pass(31);
    assert.deepEqual((await sweep()).expired, []);
    await assignRetention(a.v, operator(), { artifact, class: "standard", reason: "no longer" });
    assert.deepEqual((await sweep()).expired[0]?.artifacts.toSorted(), digests.toSorted());
    assert.equal(await isThere(id), false);
  });

  test("leaves an artifact allowed by what is newer, and the database as the log says", async () => {
    const content = randomBytes(32);
    const old = await attestedAgain(content);
    pass(20);
    const newer = await attestedAgain(content);
    pass(11);
    assert.deepEqual(
      (await sweep()).expired.map(({ attestation }) => attestation),
      [old],
    );
    assert.deepEqual([await isThere(old), await isThere(newer)], [false, true]);
    assert.equal(await ask(sha256(content)), "allow");
    assert.deepEqual((await fsck(a.v.database)).findings, []);
    pass(31);
  });

  test("keeps a finding for as long as the artifact would pass without it, though an older scan came later", async () => {
    const artifact = { name: "gadget", bytes: randomBytes(32) };
    const digest = sha256(artifact.bytes);
    const scanned = async (result: readonly object[]) => {
      const claims = actionsClaims({ workflow: ".github/workflows/scan.yml" });
      return house.sigstore.signStatement(statementAbout([artifact], SCAN, { scanner: { result } }), {
        claims,
      });
    };
    const ask = async () => {
      const caller = callerWith(a, ["issuer"], ["scanned"]);
      return (await verifyDigest(a.v, caller, { digest })).decision;
    };
    const clean = await scanned([]);
    // Logs tell the time in whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const finding = await scanned([{ id: "CVE-1", severity: [] }]);
    await push(finding);
    pass(5);
    await push(clean);
    await push(await house.sigstore.signStatement(slsaProvenance([artifact])));
    assert.equal(await ask(), "deny");
    pass(26);
    assert.deepEqual(
      (await sweep(a, { dryRun: true })).expired.map(({ attestation }) => attestation),
      [sha256(finding)],
    );
    assert.deepEqual((await sweep()).expired, []);
    assert.ok(await isThere(sha256(finding)));
    assert.equal(await ask(), "deny");
    pass(5);
    await sweep();
    await sweep();
    assert.equal(await isThere(sha256(finding)), false);
    assert.equal(await ask(), "deny");
  });

  test("waits for identities that live", async () => {
    const { id, digest } = await releasedOne();
    pass(31);
    const { svids } = await fetchX509(a, agentCaller(a), digest);
    assert.equal(svids.length, 1);
    const swept = await sweep();
    assert.deepEqual([swept.expired, swept.live], [[], 1]);
    assert.ok(await isThere(id));
    pass(1);
    assert.equal((await sweep()).expired.length, 1);
  });

  test("answers by its routes as they are described, and as roles may ask", async () => {
    const { digest } = await releasedOne();
    const as = await a.token(["operator"]);
    const auditor = await a.token(["auditor"]);
    const params = { digest };
    const { id } = await succeeds(a.app, 201, "POST /holds", { as, json: { artifact: digest, reason: "r" } });
    const { holds } = await succeeds(a.app, 200, "GET /holds", { as: auditor });
    assert.ok(holds.some((one: { id: string }) => one.id === id));
    const shown = async () => {
      const route = "GET /artifacts/:digest/retention";
      return (await succeeds(a.app, 200, route, { as: auditor, params })).evidence[0].state;
    };
    assert.equal(await shown(), "held");
    const assign = { as, params, json: { class: "standard", reason: "r" } };
    await succeeds(a.app, 200, "POST /artifacts/:digest/retention", assign);
    const release = { params: { id }, json: { reason: "settled" } };
    await fails(a.app, "forbidden", "POST /holds/:id/release", { as: auditor, ...release });
    await succeeds(a.app, 200, "POST /holds/:id/release", { as, ...release });
    assert.equal(await shown(), "kept");
    pass(31);
    const later = await a.token(["operator"]);
    const due = await succeeds(a.app, 200, "GET /retention/due", { as: later });
    const swept = await succeeds(a.app, 200, "POST /retention/sweep", { as: later, json: { after: 0 } });
    assert.deepEqual(
      swept.expired.map((one: { index: number }) => ({ ...one, index: null })),
      due.expired,
    );
    assert.equal(swept.expired.length, 1);
  });

  test("records one event where two nodes sweep at once", async () => {
    const found = await Promise.all([releasedOne(), releasedOne(), releasedOne()]);
    const content = randomBytes(32);
    for (let i = 0; i < 5; i += 1) await attestedAgain(content);
    pass(31);
    const swept = await Promise.all([sweep(a), sweep(b)]);
    assert.equal(swept.flatMap(({ expired }) => expired).length, found.length + 5);
    for (const { digest } of found) {
      assert.equal((await typesOf(digest)).filter((type) => type === "evidence.expired").length, 1);
    }
  });

  test("lets a hold or another class win that comes before the bytes have gone, and only then", async () => {
    const found = await Promise.all(Array.from({ length: 16 }, () => releasedOne()));
    pass(31);
    const kept = found.map(async ({ digest }, i) => {
      await new Promise((resolve) => setTimeout(resolve, 3 * i));
      const asked = { artifact: digest, reason: "now" };
      return i % 2 === 0
        ? placeHold(b.v, operator(b), asked)
        : assignRetention(b.v, operator(b), { ...asked, class: "court" });
    });
    await Promise.all([sweep(a), ...kept]);
    for (const { digest, id } of found) {
      const types = await typesOf(digest);
      const expired = types.indexOf("evidence.expired");
      const kept = types.findIndex((type) => type === "hold.placed" || type === "retention.assigned");
      assert.equal(await isThere(id), expired === -1);
      assert.ok(kept !== -1 && (expired === -1 || expired < kept), `${types}`);
    }
  });
});
