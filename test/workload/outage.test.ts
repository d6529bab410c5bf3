/** Five hundred workloads of a host, and a server that is away for an hour: by a clock of the test's own. */
import assert from "node:assert/strict";
import { before, describe, mock, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import type { AttestedWorkload } from "../../src/workload/attested-workload.ts";
import type { BundleKeeper } from "../../src/workload/bundle-keeper.ts";
import { openChangeFeed } from "../../src/workload/change-feed.ts";
import { openHoldings } from "../../src/workload/holdings.ts";
import type { Change, IdentitySource } from "../../src/workload/identity-source.ts";
import { gated } from "../../src/workload/request-gate.ts";
import { wait } from "../../src/workload/wait.ts";
import { x509Updates } from "../../src/workload/x509-updates.ts";
import { settle } from "./settle.ts";

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const NEVER = new AbortController().signal;
const WORKLOADS = 500;
/** How long the server takes to answer. */
const LATENCY = 20;
/** Two kinds of workloads: of the one nothing lives through the outage. */
const TTLS = [10 * MINUTE, 3 * HOUR];

describe("an outage of an hour", () => {
  const random = seeded(1);
  const asked: { readonly at: number; readonly workload: AttestedWorkload }[] = [];
  const denied = new Set<Digest>();
  let isAway = false;
  let underWay = 0;
  let mostAtOnce = 0;
  let size = 0;
  let touched: Digest[] | "all" = [];
  let grown = Promise.withResolvers<void>();

  const source = {
    async fetchX509(workload) {
      asked.push({ at: Date.now(), workload });
      underWay += 1;
      mostAtOnce = Math.max(mostAtOnce, underWay);
      await wait(LATENCY, NEVER);
      underWay -= 1;
      if (isAway) throw new VouchsafeError("unavailable", "away");
      if (denied.has(digestOf(workload))) throw new VouchsafeError("identity-denied", "quarantined");
      const expiresAt = Date.now() + ttlOf(workload);
      return { svids: [{ spiffeId: "spiffe://a/b", serial: "1", chain: [], expiresAt }], authorities: [] };
    },
    async watch(after, signal): Promise<Change> {
      if (isAway) throw new VouchsafeError("unavailable", "away");
      if (after === undefined) return { asOf: size, touched: [] };
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      while (size === after && !isAway)
        await Promise.race([grown.promise, aborted]).then(() => signal.throwIfAborted());
      if (isAway) throw new VouchsafeError("unavailable", "away");
      return { asOf: size, touched };
    },
  } as Partial<IdentitySource> as IdentitySource;
  const bundle = { trustDomain: parseTrustDomain("a"), x509Authorities: [], jwtAuthorities: new Map() };
  const bundles = {
    including: async () => bundle,
    federatedFor: async () => [],
  } as Partial<BundleKeeper> as BundleKeeper;

  const workloads = Array.from({ length: WORKLOADS }, (_, i): AttestedWorkload => {
    const components = { executable: [sha256(`program ${i}`)] };
    return { pid: i, selectors: [`unix:uid:${i % TTLS.length}`], components };
  });
  /** What each process holds: an expiry, or nothing. */
  const held = new Map<AttestedWorkload, number>();
  const deniedAt = new Map<AttestedWorkload, number>();
  const tooLate: AttestedWorkload[] = [];

  /** Time passes, and nobody holds what has expired by it. */
  async function pass(milliseconds: number, step: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += step) {
      mock.timers.tick(step);
      await settle();
      for (const [workload, expiresAt] of held) if (expiresAt + step <= Date.now()) tooLate.push(workload);
    }
  }
  function append(what: Digest[] | "all"): void {
    size += 1;
    touched = what;
    const before = grown;
    grown = Promise.withResolvers();
    before.resolve();
  }

  /** A process that asks again when its stream ends, as SPIFFE libraries do. */
  async function keepAsking(workload: AttestedWorkload, signal: AbortSignal): Promise<void> {
    const peer = { pid: 1, uid: 0, attest: async () => workload, close: () => {} };
    while (!signal.aborted) {
      try {
        for await (const { grants } of x509Updates(peer, { holdings, bundles, clock: Date.now }, signal)) {
          held.set(workload, grants.svids[0]?.expiresAt ?? 0);
        }
      } catch (error) {
        held.delete(workload);
        if ((error as VouchsafeError).code === "identity-denied") deniedAt.set(workload, Date.now());
      }
      await wait(random() * 30 * SECOND, signal);
    }
  }

  let holdings: ReturnType<typeof openHoldings>;
  before(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 }));

  test("what is live is held until it expires, and nobody comes back in a rush", async (t) => {
    const ending = new AbortController();
    const limited = gated(source);
    const feed = openChangeFeed({ source: limited, onFailure: () => {}, random });
    holdings = openHoldings({ source: limited, feed, clock: Date.now, random });
    await settle();
    const processes = workloads.map((workload) => keepAsking(workload, ending.signal));
    t.after(async () => {
      ending.abort();
      holdings.close();
      const closing = feed.close();
      append([]);
      await pass(MINUTE, SECOND);
      await Promise.all([closing, ...processes]);
      mock.timers.reset();
    });
    await pass(SECOND, LATENCY);
    assert.equal(held.size, WORKLOADS);
    assert.equal(mostAtOnce, 16);
    await pass(MINUTE, 5 * SECOND);
    assert.equal(asked.length, WORKLOADS);

    isAway = true;
    append([]);
    await pass(TTLS[0] as number, 5 * SECOND);
    const left = [...held.keys()];
    assert.equal(left.length, WORKLOADS / 2);
    assert.ok(left.every((workload) => ttlOf(workload) === TTLS[1]));
    await pass(HOUR - (TTLS[0] as number) - MINUTE, 5 * SECOND);
    await pass(MINUTE, SECOND / 10);
    // None has come to the half of its life.
    assert.equal(held.size, WORKLOADS / 2);
    assert.ok(asked.slice(WORKLOADS).every(({ workload }) => ttlOf(workload) === TTLS[0]));
    assert.ok(mostAtOnce <= 16, `${mostAtOnce} at once`);

    const since = asked.length;
    isAway = false;
    await pass(MINUTE, SECOND / 10);
    assert.equal(held.size, WORKLOADS);
    const back = asked.slice(since);
    // Those who have nothing ask once each, some of them at the very end; who has what is fresh does not ask.
    assert.ok(back.length <= WORKLOADS / 2 && back.length >= WORKLOADS / 2 - 16, `${back.length} requests`);
    const bySecond = Map.groupBy(back, ({ at }) => Math.floor(at / SECOND));
    const busiest = Math.max(...[...bySecond.values()].map(({ length }) => length));
    assert.ok(busiest < WORKLOADS / 10, `${busiest} of ${WORKLOADS} in one second`);

    // All are touched at once, as by a policy: each is told within a second what has become of it, by few requests at once.
    const victim = workloads[7] as AttestedWorkload;
    denied.add(digestOf(victim));
    const at = Date.now();
    const before = asked.length;
    append("all");
    await pass(SECOND, LATENCY);
    assert.ok((deniedAt.get(victim) ?? Number.POSITIVE_INFINITY) - at <= SECOND);
    assert.ok(asked.length >= before + WORKLOADS);
    assert.ok(mostAtOnce <= 16, `${mostAtOnce} at once`);

    // One is touched while the feed is away: it alone is asked for when the feed is back.
    isAway = true;
    append([]);
    await pass(10 * SECOND, SECOND);
    const other = workloads[9] as AttestedWorkload;
    denied.add(digestOf(other));
    const asleep = asked.length;
    isAway = false;
    append([digestOf(other)]);
    await pass(5 * SECOND, LATENCY);
    assert.ok(deniedAt.has(other));
    const asking = asked.slice(asleep).map(({ workload }) => workload);
    assert.ok(asking.every((workload) => workload === other || workload === victim));

    assert.deepEqual(tooLate, []);
  });
});

function digestOf({ components }: AttestedWorkload): Digest {
  return components.executable?.[0] ?? assert.fail("no executable");
}

function ttlOf({ pid }: AttestedWorkload): number {
  return TTLS[pid % TTLS.length] as number;
}

/** mulberry32: the same chance in every run. */
function seeded(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
