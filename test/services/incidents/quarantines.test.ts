import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Writer } from "../../../src/custody/writer.ts";
import { readHead } from "../../../src/db/log.ts";
import { readStandingBelow } from "../../../src/db/standing-below.ts";
import { type Digest, type JsonObject, parseDigest, sha256 } from "../../../src/in-toto-attestation/index.ts";
import { readCustody } from "../../../src/services/custody/read-custody.ts";
import { issueSummary } from "../../../src/services/decisions/issue-summary.ts";
import { recordDecision } from "../../../src/services/decisions/record-decision.ts";
import { listIdentities } from "../../../src/services/identities/list-identities.ts";
import {
  liftQuarantine,
  listQuarantines,
  openQuarantine,
  previewQuarantine,
} from "../../../src/services/incidents/quarantine.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { agentCaller, fetchX509 } from "../identities/identity-house.ts";
import {
  type Build,
  openRevocationHouse,
  POLICY,
  type RevocationHouse,
  signerOf,
} from "./revocation-house.ts";

describe("quarantines by rule", () => {
  let house: RevocationHouse;

  before(async () => {
    house = await openRevocationHouse();
  });
  after(() => house.close());

  const quarantine = (target: JsonObject) =>
    openQuarantine(house.a.v, house.operator(), { target, reason: "broken into" });
  /** What would fall; nothing is written. */
  async function preview(target: JsonObject) {
    const { size } = await readHead(house.a.v.database.kysely);
    const { falls } = await previewQuarantine(house.a.v, house.operator(), { target, reason: "broken into" });
    assert.equal((await readHead(house.a.v.database.kysely)).size, size);
    assert.ok(falls.complete);
    return falls;
  }
  const lift = (id: string) => liftQuarantine(house.a.v, house.operator(), { id, reason: "it was none" });
  const codesOf = (promise: Promise<unknown>) =>
    promise.then(
      () => [],
      (error: { extensions: { reasons: readonly { code: string }[] } }) =>
        error.extensions.reasons.map(({ code }) => code),
    );

  /** What each door of the other node answers. */
  async function answers(digest: Digest) {
    const { v } = house.b;
    const { codes, decision, asOf } = await house.ask(digest);
    const recorded = await recordDecision(v, house.operator(), {
      artifact: digest,
      policies: [POLICY],
      decision,
      asOf,
      grantedTo: "spiffe://example.org/x",
      issuer: "test",
    });
    return {
      verify: codes,
      summary: (await issueSummary(v, house.operator(), { digest })).case,
      svid: await codesOf(fetchX509(house.b, agentCaller(house.b), digest)),
      decision: recorded.current,
    };
  }
  /** The quarantines that a simulation as of this log size meets. */
  const metBelow = async (digest: Digest, size: number) =>
    (await readStandingBelow(house.a.v.database.kysely, house.a.v.project, [digest], size)).quarantines.map(
      ({ id }) => id,
    );
  /** Waits until an SVID does not live any more, which nobody asks for. */
  async function takenBack(digest: Digest, serial: string | undefined): Promise<void> {
    const isLive = async () =>
      (await listIdentities(house.a.v, house.operator(), { digest, live: true, limit: 50 })).identities.some(
        (one) => one.serial === serial,
      );
    while (await isLive()) await sleep(20);
  }
  const ALLOWED = { verify: ["verdict-passed"], summary: "summary", svid: [], decision: "allow" };
  const DENIED = { verify: ["quarantined"], summary: "denied", svid: ["quarantined"], decision: "deny" };

  test("of an artifact is not evaded by asking for another digest of the same bytes", async () => {
    const bytes = randomBytes(32);
    const sha512 = parseDigest(`sha512:${hash("sha512", bytes, "hex")}`);
    const built = slsaProvenance([{ name: "widget", bytes }]);
    const signAndPush = async (digest: Record<string, string>) =>
      house.push(
        await house.house.sigstore.signStatement({ ...built, subject: [{ name: "widget", digest }] }),
      );
    await signAndPush({ sha256: hash("sha256", bytes, "hex"), sha512: sha512.slice(7) });
    // A newer statement that names one alone counts in its place, and does not part them.
    await sleep(1_100);
    await signAndPush({ sha512: sha512.slice(7) });
    const both = [sha256(bytes), sha512];
    for (const digest of both) assert.ok(await house.allows(digest));
    for (const [i, artifact] of both.entries()) {
      const other = both[1 - i] ?? artifact;
      const told = await preview({ artifact });
      assert.deepEqual(told.artifacts.map(({ digest }) => digest).sort(), [...both].sort());
      const { id } = await quarantine({ artifact });
      for (const digest of both) assert.deepEqual((await house.ask(digest)).codes, ["quarantined"]);
      const { events } = await readCustody(house.a.v, house.operator(), other, {
        types: ["quarantine.opened"],
      });
      assert.ok(
        events.some(({ body }) => body.id === id),
        "whoever is shown the chain of the other digest",
      );
      await lift(id);
      for (const digest of both) assert.ok(await house.allows(digest));
    }
  });

  const TARGETS: readonly [string, (build: Build, digest: Digest) => JsonObject][] = [
    ["an artifact", (_, artifact) => ({ artifact })],
    ["a builder", (build) => ({ builder: signerOf(build).identity })],
    ["a repository", ({ repository }) => ({ repository: `https://github.com/${repository}` })],
    ["a signer", (build) => ({ signer: signerOf(build) })],
    ["a policy", () => ({ policy: POLICY })],
  ];
  for (const [name, targetOf] of TARGETS) {
    test(`of ${name} denies at every door of every node at once, until it is lifted`, async () => {
      const workflow = name.replace(/^.* /, "q-");
      const build = { workflow, repository: `acme/widget-${workflow}` };
      const { digest } = await house.release(build);
      const other = await house.release({ workflow: "other" });
      const target = targetOf(build, digest);
      assert.deepEqual(await answers(digest), ALLOWED);
      const [svid] = (await fetchX509(house.b, agentCaller(house.b), digest)).svids;

      const told = await preview(target);
      const isNamed = told.identities.some(({ serial }) => serial === svid?.serial);
      assert.ok(isNamed && told.workloads.some(({ digests }) => digests.includes(digest)));
      const fallen = told.artifacts.map((one) => one.digest);
      assert.ok(fallen.includes(digest) && (fallen.length === 1) !== "policy" in target);

      assert.ok(await house.allows(digest), "which the other node then has in memory");
      const { id, index, falls } = await quarantine(target);
      assert.deepEqual(falls, told, "also when they were taken back meanwhile");
      assert.deepEqual(await answers(digest), DENIED);
      assert.deepEqual(await metBelow(digest, index), []);
      assert.deepEqual(await metBelow(digest, index + 1), [id]);
      assert.equal(await house.allows(other.digest), !("policy" in target));
      const listed = (await listQuarantines(house.b.v, house.operator())).quarantines;
      assert.deepEqual(listed.map((one) => [one.id, one.target]).at(-1), [id, target]);

      const lifted = await lift(id);
      assert.deepEqual(await answers(digest), ALLOWED);
      assert.deepEqual(await metBelow(digest, lifted.receipt.index), [id]);
      assert.deepEqual(await metBelow(digest, lifted.receipt.index + 1), []);
      await house.assertHolds(digest);
      const { summary } = await readCustody(house.a.v, house.operator(), digest);
      assert.deepEqual(
        summary?.quarantines.newest.map((one) => one.id),
        [id],
      );
      const { summary: elsewhere } = await readCustody(house.a.v, house.operator(), other.digest);
      assert.equal(elsewhere?.quarantines.count, "policy" in target ? 1 : 0);
    });
  }

  test("of a SPIFFE ID denies its grants and nothing else", async () => {
    const { digest } = await house.release({ workflow: "named" });
    const [svid] = (await fetchX509(house.b, agentCaller(house.b), digest)).svids;
    const target = { spiffeId: svid?.spiffeId ?? "" } satisfies JsonObject;
    const told = await preview(target);
    assert.deepEqual([told.totals.artifacts, told.identities[0]?.serial], [0, svid?.serial]);
    const { id } = await quarantine(target);
    assert.deepEqual(await answers(digest), { ...ALLOWED, svid: ["quarantined"] });
    await takenBack(digest, svid?.serial);
    await lift(id);
    assert.deepEqual(await answers(digest), ALLOWED);
    await house.assertHolds(digest);
  });

  test("of a serial number takes back one SVID: it is not renewed, and its workload is granted another", async () => {
    const { digest } = await house.release({ workflow: "numbered" });
    const agent = agentCaller(house.b);
    const [svid] = (await fetchX509(house.b, agent, digest)).svids;
    const serial = svid?.serial ?? "";
    assert.deepEqual(
      (await preview({ serial })).identities.map((one) => one.serial),
      [serial],
    );
    const { id } = await quarantine({ serial });
    assert.deepEqual(await codesOf(fetchX509(house.b, agent, digest, [serial])), ["quarantined"]);
    await takenBack(digest, serial);
    assert.deepEqual(await answers(digest), ALLOWED);
    const { summary } = await readCustody(house.a.v, house.operator(), digest);
    assert.equal(summary?.quarantines.newest.at(-1)?.target, `serial ${serial}`);
    await lift(id);
    assert.deepEqual(await codesOf(fetchX509(house.b, agent, digest, [serial])), []);
    await house.assertHolds(digest);
  });

  for (const [name, targetOf] of TARGETS) {
    test(`of ${name} holds up what was decided before it and is recorded after it`, async () => {
      const workflow = name.replace(/^.* /, "late-");
      const build = { workflow, repository: `acme/widget-${workflow}` };
      const { digest } = await house.release(build);
      const opened: string[] = [];
      const append: Writer["append"] = async (proposal) => {
        if (opened.length === 0) opened.push((await quarantine(targetOf(build, digest))).id);
        return house.b.v.writer.append(proposal);
      };
      const stopped = { ...house.b, v: { ...house.b.v, writer: { ...house.b.v.writer, append } } };
      assert.deepEqual(await codesOf(fetchX509(stopped, agentCaller(house.b), digest)), ["quarantined"]);
      assert.equal(opened.length, 1);
      for (const id of opened) await lift(id);
    });
  }

  test("refuses what could never be met", async () => {
    const targets: readonly [JsonObject, string][] = [
      [{ policy: "nobody-has-this" }, "not-found"],
      [{ serial: "00" }, "not-found"],
      [{ spiffeId: "spiffe://elsewhere.example/w" }, "invalid-request"],
      [{ spiffeId: "spiffe://vouchsafe.local/vouchsafe/agent/node-1" }, "invalid-request"],
      [{ spiffeId: "https://example.org" }, "invalid-spiffe-id"],
      [{ builder: "b", from: "2026-03-01T12:00:00.000Z" }, "invalid-request"],
      [{ builder: "b", policy: "p" }, "invalid-request"],
      [{ attestation: `sha256:${"0".repeat(64)}` }, "invalid-request"],
      [{}, "invalid-request"],
    ];
    for (const [target, code] of targets) {
      await assert.rejects(preview(target), { code });
      await assert.rejects(quarantine(target), { code });
    }
  });
});
