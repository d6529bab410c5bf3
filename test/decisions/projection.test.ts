import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChainKey, PROJECT_CHAIN, type ProjectId } from "../../src/custody/events.ts";
import type { InForce, StandingVerdict } from "../../src/decisions/decide.ts";
import { createDependents } from "../../src/decisions/dependents.ts";
import { createProjection, type ProjectionSource } from "../../src/decisions/projection.ts";
import type { KeptAnswer } from "../../src/decisions/written-answer.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { parseDigest } from "../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";

const PROJECT = "7a9f8d1e-0000-4000-8000-000000000001" as ProjectId;
const DIGEST = parseDigest(`sha256:${"a".repeat(64)}`);
const OTHER = parseDigest(`sha256:${"b".repeat(64)}`);

/** A log in memory whose reads can be held, so that a test decides what happens between their start and end. */
function fakeLog() {
  const log: ChainKey[] = [];
  const quarantined = new Set<ChainKey>();
  let reads = 0;
  let restsOn: readonly Digest[] = [];
  let quarantinesAsOf = 0;
  let gate: Promise<void> | undefined;
  let failing = false;
  const source: ProjectionSource = {
    async artifactState(_project, artifact) {
      reads += 1;
      const quarantines = quarantined.has(artifact) ? [{ id: "1", artifact: DIGEST, reason: "bad" }] : [];
      const verdicts = restsOn.length > 0 ? [verdictOn(artifact, restsOn)] : [];
      const state = { verdicts, quarantines, approvals: [], exceptions: [], hasEvidence: false };
      const answer = { size: log.length, state };
      await gate;
      return answer;
    },
    async inForce() {
      const inForce: InForce = {
        policies: new Map([
          ["p", { hash: `v${log.filter((key) => key === "*").length}`, spec: { mode: "enforce" } }],
        ]),
        trust: "",
        holding: new Set(),
        revocationsAsOf: 0,
        isSuspended: false,
      };
      return { size: log.length, inForce, quarantinesAsOf };
    },
    async touchedSince(from) {
      if (failing) throw new VouchsafeError("unavailable", "gone");
      const touched = log.slice(from, from + 2).map((key) => ({ project: PROJECT, key }));
      return { size: from + touched.length, touched };
    },
  };
  return {
    source,
    reads: () => reads,
    hold(until: Promise<void>) {
      gate = until;
    },
    /** A quarantine by rule, which holds this artifact and names none. */
    quarantineByRule(digest: ChainKey) {
      quarantined.add(digest);
      log.push("*");
      quarantinesAsOf = log.length;
    },
    /** From now on all verdicts rest on these. */
    rest(on: readonly Digest[]) {
      restsOn = on;
    },
    fail(yes: boolean) {
      failing = yes;
    },
    quarantine(digest: ChainKey) {
      quarantined.add(digest);
      log.push(digest);
    },
    append: (key: ChainKey) => log.push(key),
  };
}

function projectionOf(log: ReturnType<typeof fakeLog>, clock = () => 0) {
  return createProjection({ source: log.source, clock, maxArtifacts: 2, from: 0 });
}

function verdictOn(artifact: Digest, restsOn: readonly Digest[]): StandingVerdict {
  return {
    artifact,
    policy: "p",
    policyHash: "v0",
    trustHash: "",
    evidenceSet: "",
    outcome: "passed",
    slsaLevel: 0,
    attestations: [],
    checks: [],
    restsOn,
    index: 0,
    isOvertaken: false,
    asOf: 0,
  };
}

test("an answer is dropped when an event touches what its verdict rests on, and not by what it rested on", async () => {
  const log = fakeLog();
  const projection = projectionOf(log);
  log.rest([OTHER]);
  await projection.look(PROJECT, DIGEST);
  log.append(OTHER);
  await projection.follow();
  log.rest([]);
  await projection.look(PROJECT, DIGEST);
  assert.equal(log.reads(), 2);
  log.append(OTHER);
  await projection.follow();
  await projection.look(PROJECT, DIGEST);
  assert.equal(log.reads(), 2);
});

test("an artifact that was let go for want of room is dropped no more by what it rested on", () => {
  const dependents = createDependents();
  dependents.set("a", ["x", "y"]);
  dependents.set("b", ["y"]);
  dependents.set("a", ["z"]);
  const above = () => ["x", "y", "z"].map((key) => [...dependents.of(key)]);
  assert.deepEqual(above(), [[], ["b"], ["a"]]);
  dependents.delete("a");
  assert.deepEqual(above(), [[], ["b"], []]);
});

test("an answer is kept until an event touches its artifact", async () => {
  const log = fakeLog();
  const projection = projectionOf(log);
  await projection.follow();
  await projection.look(PROJECT, DIGEST);
  log.append(OTHER);
  await projection.follow();
  const kept = await projection.look(PROJECT, DIGEST);
  assert.equal(log.reads(), 1);
  assert.equal(kept.asOf, 1);
  log.quarantine(DIGEST);
  await projection.follow();
  const anew = await projection.look(PROJECT, DIGEST);
  assert.equal(anew.artifact.state.quarantines.length, 1);
  assert.equal(anew.asOf, 2);
});

test("a read that an event overtook is not kept", async () => {
  const log = fakeLog();
  const projection = projectionOf(log);
  await projection.follow();
  const gate = Promise.withResolvers<void>();
  log.hold(gate.promise);
  const reading = projection.look(PROJECT, DIGEST);
  log.quarantine(DIGEST);
  await projection.follow();
  gate.resolve();
  assert.equal((await reading).asOf, 0);
  assert.equal((await projection.look(PROJECT, DIGEST)).artifact.state.quarantines.length, 1);
});

test("what was decided from an artifact's state is kept and dropped with it", async () => {
  const log = fakeLog();
  const projection = projectionOf(log);
  const answer = { policies: [], from: 0, until: 1, json: "{}" } as unknown as KeptAnswer;
  const { inForce, artifact } = await projection.look(PROJECT, DIGEST);
  artifact.answers = [answer];
  log.append(OTHER);
  await projection.follow();
  assert.deepEqual((await projection.look(PROJECT, DIGEST)).artifact.answers, [answer]);
  assert.equal((await projection.look(PROJECT, DIGEST)).inForce, inForce);
  log.append(PROJECT_CHAIN);
  await projection.follow();
  assert.notEqual((await projection.look(PROJECT, DIGEST)).inForce, inForce);
  log.append(DIGEST);
  await projection.follow();
  assert.deepEqual((await projection.look(PROJECT, DIGEST)).artifact.answers, []);
});

test("an artifact that is forgotten is read anew", async () => {
  const log = fakeLog();
  const projection = projectionOf(log);
  await projection.look(PROJECT, DIGEST);
  await projection.look(PROJECT, OTHER);
  projection.forget(PROJECT, DIGEST);
  await projection.look(PROJECT, OTHER);
  assert.equal(log.reads(), 2);
  await projection.look(PROJECT, DIGEST);
  assert.equal(log.reads(), 3);
});

test("a wide event changes what is in force for its project", async () => {
  const log = fakeLog();
  const projection = projectionOf(log);
  assert.equal((await projection.look(PROJECT, DIGEST)).inForce.policies.get("p")?.hash, "v0");
  log.append(PROJECT_CHAIN);
  await projection.follow();
  assert.equal((await projection.look(PROJECT, DIGEST)).inForce.policies.get("p")?.hash, "v1");
});

test("memory is bounded: an artifact that was not asked about again is forgotten first", async () => {
  const log = fakeLog();
  const projection = projectionOf(log);
  const third = parseDigest(`sha256:${"c".repeat(64)}`);
  for (const digest of [DIGEST, OTHER, DIGEST, third]) await projection.look(PROJECT, digest);
  assert.equal(log.reads(), 3);
  await projection.look(PROJECT, DIGEST);
  assert.equal(log.reads(), 3);
  await projection.look(PROJECT, OTHER);
  assert.equal(log.reads(), 4);
});

test("one who asks for a size waits until it is reached, and is refused when it is not", async () => {
  const log = fakeLog();
  const projection = projectionOf(log);
  const waiting = projection.caughtUp(5, 1000);
  for (let i = 0; i < 5; i++) log.append(OTHER);
  await projection.follow();
  await waiting;
  assert.equal(projection.size, 5);
  await assert.rejects(projection.caughtUp(6, 5), { code: "stale" });
});

test("nobody waits for the log who was told not to, before or meanwhile", { timeout: 10_000 }, async () => {
  const projection = projectionOf(fakeLog());
  const stop = new AbortController();
  for (const _ of ["meanwhile", "before"]) {
    const waiting = projection.caughtUp(1, 60_000, stop.signal);
    stop.abort();
    await assert.rejects(waiting, { code: "stale" });
  }
});

test("this node's own commits are taken over without a read, and read where others wrote before them", async () => {
  const log = fakeLog();
  const projection = projectionOf(log);
  await projection.look(PROJECT, DIGEST);
  log.quarantine(DIGEST);
  projection.committed(0, 1, [{ project: PROJECT, key: DIGEST }]);
  assert.equal(projection.size, 1);
  assert.equal((await projection.look(PROJECT, DIGEST)).artifact.state.quarantines.length, 1);

  log.quarantine(OTHER);
  log.append(PROJECT_CHAIN);
  projection.committed(2, 3, [{ project: PROJECT, key: PROJECT_CHAIN }]);
  await projection.caughtUp(3, 1000);
  assert.equal((await projection.look(PROJECT, OTHER)).artifact.state.quarantines.length, 1);
});

test("staleness counts from the last successful read of the log", async () => {
  let now = 100;
  const log = fakeLog();
  const projection = projectionOf(log, () => now);
  assert.equal(projection.staleness(), Number.POSITIVE_INFINITY);
  await projection.follow();
  now = 130;
  assert.equal(projection.staleness(), 30);
  log.fail(true);
  await assert.rejects(projection.follow(), { code: "unavailable" });
  assert.equal(projection.staleness(), 30);
  log.fail(false);
  await projection.follow();
  assert.equal(projection.staleness(), 0);
});

test("an artifact in memory is read anew after a quarantine by rule, which names none, and once", async () => {
  const log = fakeLog();
  const projection = createProjection({ source: log.source, clock: () => 0, maxArtifacts: 10, from: 0 });
  await projection.follow();
  const before = await projection.look(PROJECT, DIGEST);
  assert.deepEqual(before.artifact.state.quarantines, []);
  log.quarantineByRule(DIGEST);
  await projection.follow();
  const after = await projection.look(PROJECT, DIGEST);
  assert.equal(after.artifact.state.quarantines.length, 1);
  const reads = log.reads();
  assert.equal(projection.look(PROJECT, DIGEST) instanceof Promise, false);
  assert.equal((await projection.look(PROJECT, DIGEST)).artifact, after.artifact);
  assert.equal(log.reads(), reads);
});
