import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Proposal, Writer } from "../../../src/custody/writer.ts";
import { findAttestation } from "../../../src/db/evidence.ts";
import { readChain } from "../../../src/db/log.ts";
import { rejectionsBy } from "../../../src/db/rejections.ts";
import { type Digest, type JsonObject, sha256 } from "../../../src/in-toto-attestation/index.ts";
import { issueSummary } from "../../../src/services/decisions/issue-summary.ts";
import { recordContainment } from "../../../src/services/evidence/record-containment.ts";
import { watchIdentities } from "../../../src/services/identities/watch-identities.ts";
import { listRevocations, readRevocation } from "../../../src/services/incidents/revocations.ts";
import { anImage } from "../../support/images.ts";
import { agentCaller, fetchX509 } from "../identities/identity-house.ts";
import { callerWith } from "../release-node.ts";
import { openRevocationHouse, POLICY, type RevocationHouse, signerOf } from "./revocation-house.ts";

const seconds = (time: number) => new Date(Math.floor(time / 1000) * 1000).toISOString();

describe("evidence that is revoked", () => {
  let house: RevocationHouse;

  before(async () => {
    house = await openRevocationHouse();
  });
  after(() => house.close());

  test("denies at once on another node, which had the allow in memory, and counts again when that is taken back", async () => {
    const { digest, ids } = await house.release({ workflow: "plain" });
    assert.ok(await house.allows(digest));
    const revoked = await house.revoke({ attestation: ids[0] ?? "" });
    assert.deepEqual(revoked.falls?.artifacts, [{ digest, policies: [POLICY] }]);
    const denied = await house.ask(digest);
    assert.deepEqual([denied.decision, denied.codes], ["deny", ["evidence-revoked"]]);
    const [check] = denied.reasons[0]?.checks ?? [];
    assert.deepEqual([check?.check, check?.attestation], ["evidence.revoked", ids[0]]);
    assert.ok(check?.actual.includes(`${revoked.id}: leaked`));
    await house.assertHolds(digest);

    const auditor = callerWith(house.b, ["auditor"]);
    const { index, id } = revoked;
    const { target, reason, ...listed } = await readRevocation(house.b.v, auditor, id);
    assert.deepEqual(listed, { id, index, withdrawnIndex: null });
    const list = async () => (await listRevocations(house.b.v, auditor)).revocations.map((one) => one.id);
    assert.ok((await list()).includes(id));
    await house.withdraw(id);
    assert.ok(await house.allows(digest));
    assert.ok(!(await list()).includes(id));
    await assert.rejects(house.withdraw(id), { code: "not-found" });
    const { withdrawnIndex } = await readRevocation(house.a.v, house.operator(), revoked.id);
    assert.ok(withdrawnIndex !== null && withdrawnIndex > revoked.index);
    const told = await house.assertHolds(digest);
    assert.equal(told.filter(({ check }) => check === "revocation").length, 2);
    const chain = await readChain(house.a.v.database.kysely, house.a.v.project, digest);
    assert.deepEqual(
      chain.flatMap(({ type, body }) => (body.policy === undefined || body.policy === POLICY ? [type] : [])),
      [
        "evidence.accepted",
        "verdict.passed",
        "evidence.revoked",
        "verdict.failed",
        "revocation.withdrawn",
        "verdict.passed",
      ],
    );
  });

  test("leaves an artifact with other sufficient evidence alive, resting on that", async () => {
    const [lost, kept] = [{ workflow: "lost" }, { workflow: "kept" }];
    const [both, one] = [await house.release(lost, kept), await house.release(lost)];
    const target = { signer: signerOf(lost) };
    const { falls } = await house.preview(target);
    assert.ok(await house.allows(one.digest), "a preview changes nothing");
    const revoked = await house.revoke(target);
    assert.deepEqual(revoked.falls, falls);
    assert.deepEqual(falls.artifacts, [{ digest: one.digest, policies: [POLICY] }]);
    assert.ok(!(await house.allows(one.digest)));
    const still = await house.ask(both.digest);
    assert.equal(still.decision, "allow");
    assert.deepEqual(still.policies[0]?.attestations, [both.ids[1]]);
    await Promise.all([house.assertHolds(one.digest), house.assertHolds(both.digest)]);
  });

  test("by a builder, a repository or an artifact fails what each named, unasked, and nothing else", async () => {
    const builds = [
      { workflow: "builder" },
      { workflow: "any", repository: "acme/repository" },
      { workflow: "artifact" },
    ] as const;
    const [byBuilder, byRepository, byArtifact] = await Promise.all(builds.map((one) => house.release(one)));
    const others = await Promise.all(
      builds.map(({ workflow }) => house.release({ workflow: `${workflow}-2` })),
    );
    assert.ok(byBuilder && byRepository && byArtifact);
    const targets: readonly [Digest, JsonObject][] = [
      [byBuilder.digest, { builder: signerOf(builds[0]).identity }],
      [byRepository.digest, { repository: "https://github.com/acme/repository" }],
      [byArtifact.digest, { artifact: byArtifact.digest }],
    ];
    for (const [digest, target] of targets) {
      assert.ok(await house.allows(digest));
      const { falls, index } = await house.revoke(target);
      await house.failedAfter(index, digest);
      assert.deepEqual(
        falls?.artifacts.map((one) => one.digest),
        [digest],
      );
      assert.deepEqual((await house.ask(digest)).codes, ["evidence-revoked"]);
      await house.assertHolds(digest);
    }
    for (const { digest } of others) assert.ok(await house.allows(digest));
  });

  test("within a window is what was signed in it; what was signed before it stays", async () => {
    const build = { workflow: "window" };
    const before = await house.release(build);
    await sleep(1_100);
    const from = seconds(Date.now());
    const after = await house.release(build);
    const { id, target } = await house.revoke({ signer: signerOf(build), from: from.replace(".000Z", "Z") });
    assert.deepEqual(target, { signer: signerOf(build), from });
    assert.ok(await house.allows(before.digest));
    assert.ok(!(await house.allows(after.digest)));
    await house.withdraw(id);
    await house.revoke({ signer: signerOf(build), until: from });
    assert.ok(!(await house.allows(before.digest)));
    assert.ok(await house.allows(after.digest));
    await Promise.all([house.assertHolds(before.digest), house.assertHolds(after.digest)]);
  });

  test("is not taken when it comes later, by any door, until the revocation is taken back", async () => {
    const build = { workflow: "later" };
    const digest = sha256(randomBytes(32));
    const bytes = await house.provenance([digest], build);
    const { v } = house.a;
    for (const target of [{ signer: signerOf(build) }, { attestation: sha256(bytes) }]) {
      const { id } = await house.revoke(target);
      await assert.rejects(house.push(bytes), { code: "evidence-revoked", extensions: { revocation: id } });
      await assert.rejects(house.push(bytes, house.b), { code: "evidence-revoked" });
      await house.withdraw(id);
    }
    assert.equal(await findAttestation(v.database.kysely, v.project, sha256(bytes)), undefined);
    await house.push(bytes);
    assert.ok(await house.allows(digest));
    assert.equal(await rejectionsBy(v.database.kysely, v.project, house.operator().token, 0), 1);
  });

  test("about several artifacts, of which one is revoked, is taken for the others", async () => {
    const [one, other] = [sha256(randomBytes(32)), sha256(randomBytes(32))];
    await house.revoke({ artifact: one });
    await house.push(await house.provenance([one, other], { workflow: "several" }));
    assert.ok(!(await house.allows(one)));
    assert.ok(await house.allows(other));
    await Promise.all([house.assertHolds(one), house.assertHolds(other)]);
    await assert.rejects(house.push(await house.provenance([one], { workflow: "several" })), {
      code: "evidence-revoked",
    });
  });

  test("takes what lies in the artifact with it, and an artifact that is revoked lies in nothing", async () => {
    const image = anImage();
    const bytes = await house.provenance([image.digest], { workflow: "image" });
    const { attestation } = await house.push(bytes);
    for (const manifest of [image.index, image.manifest])
      await recordContainment(house.a.v, house.operator(), manifest);
    for (const digest of [image.layer, image.config]) assert.ok(await house.allows(digest));
    const layer = await house.revoke({ artifact: image.layer });
    assert.deepEqual(
      layer.falls?.artifacts.map(({ digest }) => digest),
      [image.layer],
    );
    assert.ok(!(await house.allows(image.layer)));
    assert.ok(await house.allows(image.config));
    const all = await house.revoke({ attestation: attestation.id });
    assert.deepEqual(
      new Set(all.falls?.artifacts.map(({ digest }) => digest)),
      new Set([image.digest, image.config]),
    );
    for (const digest of [image.digest, image.config]) assert.ok(!(await house.allows(digest)));
    await Promise.all([image.layer, image.config].map((digest) => house.assertHolds(digest)));
  });

  test("ends identities: their agent is told, asks again and is denied, and they are named", async () => {
    const build = { workflow: "identity" };
    const { digest } = await house.release(build);
    const agent = agentCaller(house.b, "node-revoked");
    const { svids } = await fetchX509(house.b, agent, digest);
    const { asOf } = await watchIdentities(house.b.v, agent, undefined, AbortSignal.timeout(30_000));
    const change = watchIdentities(house.b.v, agent, asOf, AbortSignal.timeout(30_000));
    const since = performance.now();
    const revoked = await house.revoke({ builder: signerOf(build).identity });
    assert.ok((await change).touched.includes("*"));
    assert.ok(performance.now() - since < 10_000);
    await assert.rejects(fetchX509(house.b, agent, digest), (error: Error & { extensions: object }) =>
      JSON.stringify(error.extensions).includes("evidence-revoked"),
    );
    const { falls } = revoked;
    assert.deepEqual(falls?.totals, { artifacts: 1, identities: 1, workloads: 1, gains: 0 });
    assert.equal(falls?.identities[0]?.spiffeId, svids[0]?.spiffeId);
    assert.deepEqual(falls?.workloads[0]?.digests, [digest]);
    await house.assertHolds(digest);
  });

  test("is behind no verification summary, not even one that was kept", async () => {
    const build = { workflow: "summary" };
    const { digest } = await house.release(build);
    const issuer = callerWith(house.a, ["issuer"], [POLICY]);
    assert.equal((await issueSummary(house.a.v, issuer, { digest })).case, "summary");
    await house.revoke({ signer: signerOf(build) });
    assert.equal((await issueSummary(house.a.v, issuer, { digest })).case, "denied");
  });

  test("grounds no identity on a node that is stopped between deciding and recording", async () => {
    const build = { workflow: "stopped" };
    const { digest } = await house.release(build);
    let stopped = 0;
    const append: Writer["append"] = async (proposal: Proposal) => {
      if (proposal.events.some(({ type }) => type === "identity.issued")) {
        stopped += 1;
        await house.revoke({ signer: signerOf(build) });
      }
      return house.b.v.writer.append(proposal);
    };
    const node = { ...house.b, v: { ...house.b.v, writer: { ...house.b.v.writer, append } } };
    await assert.rejects(fetchX509(node, agentCaller(house.b), digest), { code: "identity-denied" });
    assert.equal(stopped, 1);
  });

  test("counts for nothing when it is pushed while it is revoked, whichever is first", async () => {
    const build = { workflow: "race" };
    const digests = Array.from({ length: 12 }, () => sha256(randomBytes(32)));
    const uploads = await Promise.all(digests.map((digest) => house.provenance([digest], build)));
    const pushed = uploads.map((bytes, i) => house.push(bytes, i % 2 === 0 ? house.a : house.b));
    const [, ...settled] = await Promise.allSettled([house.revoke({ signer: signerOf(build) }), ...pushed]);
    for (const one of settled)
      if (one.status === "rejected") assert.equal(one.reason.code, "evidence-revoked");
    for (const digest of digests) assert.equal((await house.ask(digest)).decision, "deny");
    for (const bytes of uploads)
      await house.push(bytes).then(
        ({ created }) => assert.ok(!created, "it was there before"),
        (error) => assert.equal(error.code, "evidence-revoked"),
      );
  });

  test("takes what a preview said, however evidence is shared out", async () => {
    const builds = ["x", "y", "z"].map((name) => ({ workflow: `shared-${name}` }));
    const released = await Promise.all(
      [[0], [1], [0, 1], [1, 2], [0, 1, 2], [2]].map((some) =>
        house.release(...some.flatMap((i) => builds[i] ?? [])),
      ),
    );
    const digests = released.map(({ digest }) => digest);
    const alive = () => house.allowedAmong(digests);
    const targets: readonly JsonObject[] = [
      { signer: signerOf(builds[0] ?? { workflow: "" }) },
      { attestation: released[3]?.ids[0] ?? "" },
      { builder: signerOf(builds[1] ?? { workflow: "" }).identity },
      { artifact: digests[4] ?? "" },
    ];
    let before = await alive();
    assert.equal(before.size, digests.length);
    for (const target of targets) {
      const { falls } = await house.preview(target);
      assert.deepEqual((await house.revoke(target)).falls, falls);
      const left = await alive();
      const fell = [...before].filter((digest) => !left.has(digest));
      assert.deepEqual(new Set(falls.artifacts.map(({ digest }) => digest)), new Set(fell));
      before = left;
    }
    assert.ok(before.size > 0, "something was left to fall");
  });

  test("stays hidden from no custody file: one without the revocation does not hold", async () => {
    const build = { workflow: "hidden" };
    const { digest } = await house.release(build);
    const { id, index } = await house.revoke({ signer: signerOf(build) });
    await house.ask(digest);
    // The next wide event links to it; and so the revocation that hides is one in the middle.
    await house.withdraw(id);
    await house.ask(digest);
    await house.assertHolds(digest);
    const lines = Buffer.from(await house.pack(digest))
      .toString()
      .split("\n");
    const hidden = lines.filter((line) => !line.includes(`"event":${index},`));
    assert.equal(hidden.length, lines.length - 1);
    const report = house.check(Buffer.from(hidden.join("\n")));
    assert.ok(!report.ok);
    assert.ok(report.checks.some(({ check, status }) => check === "chain" && status === "fails"));
    assert.ok(report.checks.some(({ check, status }) => check === "verdict" && status === "fails"));
  });
});
