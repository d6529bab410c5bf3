import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { describe, mock, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import type { TrustBundle } from "../../src/identity/trust-bundle.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Peer } from "../../src/workload/attest.ts";
import type { AttestedWorkload } from "../../src/workload/attested-workload.ts";
import type { BundleKeeper } from "../../src/workload/bundle-keeper.ts";
import type { ChangeFeed } from "../../src/workload/change-feed.ts";
import { openHoldings } from "../../src/workload/holdings.ts";
import type { IdentitySource } from "../../src/workload/identity-source.ts";
import { type X509Update, x509Updates } from "../../src/workload/x509-updates.ts";

const DIGEST = sha256("widget");
const TTL = 600_000;
const WIDGET: AttestedWorkload = { pid: 1, selectors: ["unix:uid:1"], components: { executable: [DIGEST] } };

type Answer = "grant" | "identity-denied" | "unavailable";
type Update = X509Update & { readonly serials: readonly string[] };

/** A source that answers as it is told, a feed of what it is told to tell, and a clock that moves by `pass` alone. */
function stage(t: { after(end: () => void): void }, { random = 0.5 } = {}) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  t.after(() => mock.timers.reset());
  const answers: Answer[] = [];
  const renewed: (readonly string[])[] = [];
  const times: number[] = [];
  const followers = new Set<() => void>();
  let granted = 0;
  const answer = () => {
    const answer = answers.shift() ?? "grant";
    if (answer !== "grant") throw new VouchsafeError(answer, "as it was told");
    granted += 1;
  };
  const source = {
    async fetchX509(_workload, _csr, renews) {
      times.push(Date.now());
      answer();
      renewed.push(renews);
      const svids = ["spiffe://a/b", "spiffe://a/c"].map((spiffeId, i) => {
        return { spiffeId, serial: `${granted}${i}`, chain: [], expiresAt: Date.now() + TTL };
      });
      return { svids, authorities: [] };
    },
    async fetchJwt() {
      answer();
      return [{ spiffeId: "spiffe://a/b", token: `token ${granted}`, expiresAt: Date.now() + TTL }];
    },
  } as Partial<IdentitySource> as IdentitySource;
  const feed: ChangeFeed = {
    follow(_digests, onTouched) {
      followers.add(onTouched);
      return () => followers.delete(onTouched);
    },
    close: async () => {},
  };
  let bundle: TrustBundle = {
    trustDomain: parseTrustDomain("a"),
    x509Authorities: [],
    jwtAuthorities: new Map(),
  };
  const bundles = {
    including: async () => bundle,
    federatedFor: async () => [],
  } as Partial<BundleKeeper> as BundleKeeper;
  const holdings = openHoldings({ source, feed, clock: Date.now, random: () => random });
  const ending = new AbortController();
  t.after(() => {
    ending.abort();
    holdings.close();
  });

  /** What a stream of this process was given so far, and how it ended. */
  function stream(attest: () => AttestedWorkload = () => WIDGET) {
    const peer: Peer = { pid: 1, uid: 0, attest: async () => attest(), close: () => {} };
    const updates: Update[] = [];
    let end: string | undefined;
    const run = async () => {
      for await (const update of x509Updates(peer, { holdings, bundles, clock: Date.now }, ending.signal)) {
        updates.push({ ...update, serials: update.grants.svids.map(({ serial }) => serial) });
      }
    };
    run().catch((error) => {
      end = error.code;
    });
    return {
      updates,
      serials: () => updates.map(({ serials }) => serials[0]),
      end: () => end,
    };
  }

  return {
    answers,
    renewed,
    times,
    holdings,
    followers,
    stream,
    settle,
    async pass(milliseconds: number, step = milliseconds) {
      for (let passed = 0; passed < milliseconds; passed += step) {
        mock.timers.tick(step);
        await settle();
      }
    },
    async touch() {
      for (const tell of followers) tell();
      await settle();
    },
    async changeBundle() {
      bundle = { ...bundle };
      holdings.bundleChanged(bundle);
      await settle();
    },
  };
}

/** Keys that the thread pool is making: Node counts them among nothing else. */
const keysUnderWay = new Set<number>();
createHook({
  init(id, type) {
    if (type === "KEYPAIRGENREQUEST") keysUnderWay.add(id);
  },
  after: (id) => keysUnderWay.delete(id),
}).enable();

/** Lets what is under way come to a rest. */
async function settle(): Promise<void> {
  for (let quiet = 0; quiet < 5; quiet += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (keysUnderWay.size > 0) quiet = 0;
  }
}

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
  });
});
