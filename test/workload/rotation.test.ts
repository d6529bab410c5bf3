import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Peer } from "../../src/workload/attest.ts";
import { type ChangeFeed, openChangeFeed } from "../../src/workload/change-feed.ts";
import type { Change, IdentitySource } from "../../src/workload/identity-source.ts";
import { type X509Holding, x509Holdings } from "../../src/workload/x509-rotation.ts";

const DIGEST = sha256("widget");
const OTHER = sha256("other");
const TTL = 600_000;

type Answer = "grant" | "identity-denied" | "unavailable";

/** A source that answers as it is told, and a feed of what it is told to tell. */
function stage(answers: Answer[]) {
  const renewed: (readonly string[])[] = [];
  const times: number[] = [];
  let now = 0;
  const waits: number[] = [];
  const source = {
    async fetchX509(_workload, _csr, renews) {
      times.push(now);
      const answer = answers.shift() ?? "grant";
      if (answer !== "grant") throw new VouchsafeError(answer, "as it was told");
      renewed.push(renews);
      const svids = ["spiffe://a/b", "spiffe://a/c"].map((spiffeId, i) => {
        return { spiffeId, serial: `${renewed.length}${i}`, chain: [], expiresAt: now + TTL };
      });
      return { svids, authorities: [] };
    },
  } as Partial<IdentitySource> as IdentitySource;
  // Time passes by waiting alone.
  const feed: ChangeFeed = {
    follow: () => ({
      async wait(milliseconds) {
        waits.push(milliseconds);
        now += milliseconds;
      },
      close: () => {},
    }),
    touchAll: () => {},
    close: async () => {},
  };
  const peer: Peer = {
    pid: 1,
    uid: 0,
    attest: async () => ({ pid: 1, selectors: [], digests: [DIGEST] }),
    close: () => {},
  };
  const holdings = (random: number): AsyncGenerator<X509Holding> =>
    x509Holdings(
      peer,
      { source, feed, clock: () => now, random: () => random },
      new AbortController().signal,
    );
  return { holdings, renewed, times, waits };
}

describe("rotation", () => {
  for (const [random, share] of [
    [0, 0.45],
    [0.5, 0.5],
    [1, 0.55],
  ] as const) {
    test(`renews at ${share} of the life when chance says ${random}, each with a key of its own`, async () => {
      const { holdings, renewed, times } = stage([]);
      const stream = holdings(random);
      const keys = new Set<string>();
      for (let turn = 0; turn < 3; turn += 1) {
        const { value } = await stream.next();
        keys.add(Buffer.from(value?.privateKey ?? []).toString("hex"));
      }
      assert.deepEqual(renewed, [[], ["10", "11"], ["20", "21"]]);
      assert.deepEqual(times.map(Math.round), [0, TTL * share, 2 * TTL * share]);
      assert.equal(keys.size, 3);
      await stream.return(undefined);
    });
  }

  test("a denial ends it, at first and later", async () => {
    await assert.rejects(stage(["identity-denied"]).holdings(0.5).next(), { code: "identity-denied" });
    const later = stage(["grant", "identity-denied"]).holdings(0.5);
    await later.next();
    await assert.rejects(later.next(), { code: "identity-denied" });
  });

  test("no answer ends it at first; later it asks again, less and less often, until the SVID has expired", async () => {
    await assert.rejects(stage(["unavailable"]).holdings(0.5).next(), { code: "unavailable" });

    const back = stage(["grant", "unavailable", "unavailable", "grant"]);
    const stream = back.holdings(0.5);
    await stream.next();
    assert.equal((await stream.next()).value?.grants.svids[0]?.serial, "20");
    assert.deepEqual(back.waits, [TTL / 2, 250, 500]);
    await stream.return(undefined);

    const away = stage(["grant", ...Array<Answer>(1000).fill("unavailable")]);
    const ending = away.holdings(0.5);
    await ending.next();
    await assert.rejects(ending.next(), { code: "unavailable" });
    assert.equal(away.times.at(-1), TTL);
    assert.ok(Math.max(...away.waits.slice(1)) <= 10_000);
  });
});

describe("the change feed", () => {
  /** Watches that are answered one by one. */
  function watched() {
    const asked: (number | undefined)[] = [];
    let pending = Promise.withResolvers<Change>();
    const source = {
      watch(after, signal) {
        asked.push(after);
        signal.addEventListener("abort", () => pending.reject(signal.reason), { once: true });
        return pending.promise;
      },
    } as Partial<IdentitySource> as IdentitySource;
    const answer = async (settle: (watch: PromiseWithResolvers<Change>) => void) => {
      const answered = pending;
      pending = Promise.withResolvers();
      settle(answered);
      await new Promise(setImmediate);
    };
    return { source, asked, answer };
  }
  const never = new AbortController().signal;
  const LONG = 3_600_000;

  test("wakes whoever follows a touched digest, also when that happened before it waited", async () => {
    const { source, asked, answer } = watched();
    const feed = openChangeFeed(source, () => {});
    await answer(({ resolve }) => resolve({ asOf: 5, touched: [] }));
    const [one, two] = [feed.follow([DIGEST]), feed.follow([OTHER])];
    await answer(({ resolve }) => resolve({ asOf: 7, touched: [DIGEST] }));
    await one.wait(LONG, never);
    const both = Promise.all([one.wait(LONG, never), two.wait(LONG, never)]);
    await answer(({ resolve }) => resolve({ asOf: 8, touched: "all" }));
    await both;
    assert.deepEqual(asked, [undefined, 5, 7, 8]);
    await feed.close();
  });

  test("asks again from where it was after a failure, and tells of the first one", async () => {
    const failures = mock.fn();
    const { source, asked, answer } = watched();
    const feed = openChangeFeed(source, failures);
    await answer(({ resolve }) => resolve({ asOf: 5, touched: [] }));
    await answer(({ reject }) => reject(new VouchsafeError("unavailable", "away")));
    const follower = feed.follow([DIGEST]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await answer(({ resolve }) => resolve({ asOf: 9, touched: [DIGEST] }));
    await follower.wait(LONG, never);
    assert.deepEqual(asked, [undefined, 5, 5, 9]);
    assert.equal(failures.mock.callCount(), 1);
    await feed.close();
  });

  test("what was granted before anybody listened is asked for anew", async () => {
    const { source, answer } = watched();
    const feed = openChangeFeed(source, () => {});
    const follower = feed.follow([DIGEST]);
    await answer(({ resolve }) => resolve({ asOf: 5, touched: [] }));
    await follower.wait(LONG, never);
    await feed.close();
  });

  test("an aborted wait and one whose time is over end", async () => {
    const { source } = watched();
    const feed = openChangeFeed(source, () => {});
    const follower = feed.follow([DIGEST]);
    await follower.wait(1, never);
    const aborting = new AbortController();
    const waiting = follower.wait(LONG, aborting.signal);
    aborting.abort();
    await waiting;
    await follower.wait(LONG, aborting.signal);
    await feed.close();
  });
});
