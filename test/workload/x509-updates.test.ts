import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { PATIENCE } from "../../src/workload/wait.ts";
import { type Answer, stage, TTL, WIDGET } from "./x509-stage.ts";

describe("what a process is given", () => {
  for (const [random, share] of [
    [0, 0.45],
    [0.5, 0.5],
    [1, 0.55],
  ] as const) {
    test(`is renewed at ${share} of the life when chance says ${random}, each with a key of its own`, async (t) => {
      const { stream, pass, settle, renewed, times } = stage(t, { random });
      const { updates } = stream();
      await settle();
      for (let turn = 0; turn < 2; turn += 1) await pass(TTL * share + 1);
      assert.deepEqual(renewed, [[], ["10", "11"], ["20", "21"]]);
      for (const [turn, time] of times.entries()) assert.ok(Math.abs(time - turn * TTL * share) <= 2 * turn);
      assert.equal(new Set(updates.map(({ privateKey }) => Buffer.from(privateKey).toString("hex"))).size, 3);
    });
  }

  test("is the same for all that are attested to be the same, and renewed once for all", async (t) => {
    const { stream, pass, settle, touch, times } = stage(t);
    const streams = [1, 2, 3].map((pid) => stream(() => ({ ...WIDGET, pid })));
    const other = stream(() => ({ ...WIDGET, selectors: ["unix:uid:2"] }));
    await settle();
    assert.equal(times.length, 2);
    const [first, ...rest] = streams.map(({ serials }) => serials());
    for (const serials of rest) assert.deepEqual(serials, first);
    assert.notDeepEqual(other.serials(), first);
    await pass(TTL / 2);
    assert.equal(times.length, 4);
    await touch();
    assert.equal(times.length, 6);
    for (const { updates } of streams) assert.equal(updates.length, 3);
  });

  test("ends with a denial, at first and later, for all of them", async (t) => {
    const { stream, settle, touch, answers } = stage(t);
    answers.push("identity-denied");
    const first = stream();
    await settle();
    assert.equal(first.end(), "identity-denied");

    const streams = [stream(), stream()];
    await settle();
    answers.push("identity-denied", "identity-denied");
    await touch();
    assert.deepEqual(
      streams.map(({ end }) => end()),
      ["identity-denied", "identity-denied"],
    );
  });

  test("is not handed to who became another meanwhile", async (t) => {
    const { stream, settle, times } = stage(t);
    const looks = [WIDGET, { ...WIDGET, selectors: ["unix:uid:2"] }];
    const { updates } = stream(() => looks.shift() ?? { ...WIDGET, selectors: ["unix:uid:2"] });
    await settle();
    assert.equal(times.length, 2);
    assert.deepEqual(
      updates.map(({ workload, serials }) => [workload.selectors, serials[0]]),
      [[["unix:uid:2"], "20"]],
    );
  });

  test("stands while the process cannot be attested, until it expires or is denied; nothing new is handed out", async (t) => {
    const { stream, pass, settle, touch, answers } = stage(t);
    let isAway = false;
    const attest = () => {
      if (isAway) throw new VouchsafeError("unavailable", "the runtime is away");
      return WIDGET;
    };
    const [one, other] = [stream(attest), stream(attest)];
    await settle();
    isAway = true;
    await pass(TTL * 0.6, TTL / 20);
    assert.deepEqual([one.updates.length, one.end()], [1, undefined]);
    isAway = false;
    await pass(2_000, 1_000);
    assert.deepEqual([one.updates.length, other.updates.length], [2, 2]);

    isAway = true;
    const late = stream(attest);
    await settle();
    assert.equal(late.end(), "unavailable");
    answers.push("identity-denied");
    await touch();
    assert.equal(one.end(), "identity-denied");
  });

  test("does not outlive its SVID where the process cannot be attested", async (t) => {
    const { stream, pass, settle } = stage(t);
    let isAway = false;
    const { updates, end } = stream(() => {
      if (isAway) throw new VouchsafeError("unavailable", "the runtime is away");
      return WIDGET;
    });
    await settle();
    isAway = true;
    await pass(TTL + 2_000, TTL / 20);
    assert.deepEqual([updates.length, end()], [1, "unavailable"]);
  });

  test("comes again with a new bundle; what that does not verify is asked for anew", async (t) => {
    const { stream, settle, changeBundle, times } = stage(t);
    const { updates } = stream();
    await settle();
    // The stage's SVIDs have no chain that anything could verify.
    await changeBundle();
    assert.equal(times.length, 2);
    assert.notEqual(updates.at(-1)?.bundle, updates[0]?.bundle);
    assert.notEqual(updates.at(-1)?.serials, updates[0]?.serials);
  });
});

describe("while the source is away", () => {
  test("comes with a new bundle where the source grants nothing now, until it expires", async (t) => {
    const { stream, pass, settle, touch, changeBundle, answers } = stage(t);
    const { updates, serials, end } = stream();
    await settle();
    answers.push(...Array<Answer>(1_000).fill("unavailable"));
    await touch();
    assert.equal(updates.length, 1);
    await changeBundle();
    assert.equal(updates.length, 2);
    assert.notEqual(updates[1]?.bundle, updates[0]?.bundle);
    assert.deepEqual(serials(), ["10", "10"]);
    await pass(TTL + 2_000, TTL / 20);
    assert.deepEqual([updates.length, end()], [2, "unavailable"]);
  });

  test("nothing is there for who had nothing; for who had, until it expires and no longer", async (t) => {
    const { stream, pass, settle, answers, times } = stage(t);
    answers.push("unavailable");
    const early = stream();
    await settle();
    assert.equal(early.end(), "unavailable");

    const held = stream();
    await settle();
    const since = Date.now();
    answers.push(...Array<Answer>(100_000).fill("unavailable"));
    await pass(TTL / 2 + 60_000, 1_000);
    // A process that comes back, or another of the same.
    const late = stream();
    await settle();
    assert.deepEqual(late.serials(), held.serials());
    await pass(TTL / 2 - 60_000 - 1_000, 1_000);
    assert.deepEqual([held.end(), late.end()], [undefined, undefined]);
    await pass(1_000);
    assert.equal(Date.now() - since, TTL);
    assert.deepEqual([held.end(), late.end()], ["unavailable", "unavailable"]);
    const after = stream();
    await settle();
    assert.deepEqual([after.updates, after.end()], [[], "unavailable"]);
    // Less and less often: half of 30 seconds with this chance.
    assert.ok(times.length < 60, `${times.length} requests`);
  });

  test("one that hangs keeps nobody waiting who can be given something, nor beyond what it has", async (t) => {
    const { stream, pass, settle, answers } = stage(t);
    const held = stream();
    await settle();
    answers.push("hang");
    await pass(TTL / 2);
    const late = stream();
    await settle();
    await pass(PATIENCE);
    assert.deepEqual(late.serials(), held.serials());
    await pass(TTL / 2 - PATIENCE);
    assert.deepEqual([held.end(), late.end()], ["unavailable", "unavailable"]);
  });

  test("goes on where it was when the source is back", async (t) => {
    const { stream, pass, settle, answers } = stage(t);
    const { serials } = stream();
    await settle();
    answers.push("unavailable", "unavailable");
    await pass(TTL / 2);
    await pass(5_000, 100);
    assert.deepEqual(serials(), ["10", "20"]);
  });

  test("what was touched is handed to nobody who has it not", async (t) => {
    const { stream, settle, touch, answers } = stage(t);
    const held = stream();
    await settle();
    answers.push(...Array<Answer>(2).fill("unavailable"));
    await touch();
    const late = stream();
    await settle();
    assert.deepEqual([late.updates, late.end()], [[], "unavailable"]);
    // It has what it has: an end would take nothing from it.
    assert.deepEqual([held.updates.length, held.end()], [1, undefined]);
  });
});

describe("JWT-SVIDs", () => {
  test("are kept by audience until half of their life, touched or denied", async (t) => {
    const { holdings, pass, touch, answers } = stage(t);
    const ask = async (audiences: readonly string[], spiffeId?: string) =>
      (await holdings.of(WIDGET).jwt(audiences, spiffeId))[0]?.token;
    assert.equal(await ask(["db", "queue"]), "token 1");
    assert.equal(await ask(["queue", "db"]), "token 1");
    assert.equal(await ask(["db"]), "token 2");
    assert.equal(await ask(["db"], "spiffe://a/b"), "token 3");
    await pass(TTL / 2 - 1);
    assert.equal(await ask(["db"]), "token 2");
    await pass(1);
    assert.equal(await ask(["db"]), "token 4");
    answers.push("unavailable");
    assert.equal(await ask(["db", "queue"]), "token 1");
    await touch();
    answers.push("unavailable");
    await assert.rejects(ask(["db"]), { code: "unavailable" });
    assert.equal(await ask(["db"]), "token 5");
    await pass(TTL / 2);
    answers.push("identity-denied", "unavailable");
    await assert.rejects(ask(["db"]), { code: "identity-denied" });
    await assert.rejects(ask(["db"]), { code: "unavailable" });
    assert.equal(await ask(["db", "queue"]), "token 6");
    answers.push("identity-denied", "unavailable");
    await assert.rejects(holdings.of(WIDGET).x509(0), { code: "identity-denied" });
    await assert.rejects(ask(["db", "queue"]), { code: "unavailable" });
  });
});
