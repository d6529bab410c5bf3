import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { VouchsafeError } from "../../src/errors.ts";
import { openFederation } from "../../src/workload/federation.ts";
import type { IdentitySource } from "../../src/workload/identity-source.ts";
import { testAuthority } from "../identity/trust-domain.ts";

const WORKLOAD = { pid: 1, selectors: ["unix:uid:1"], components: {} };
const A = testAuthority("a.example", Date.now()).bundle;
const B = testAuthority("b.example", Date.now()).bundle;

/** A federation whose source answers as it is told, and how often it was asked and told of a change. */
function stage() {
  let now = 0;
  const counts = { asked: 0, changed: 0 };
  const answers = { names: async (): Promise<readonly string[]> => ["a.example"], bundles: [A, B] };
  const source: Pick<IdentitySource, "federation" | "federatesWith"> = {
    federation: async () => answers.bundles,
    federatesWith: () => {
      counts.asked += 1;
      return answers.names();
    },
  };
  const federation = openFederation({
    source: source as IdentitySource,
    clock: () => now,
    random: () => 0.01,
    onChange: () => {
      counts.changed += 1;
    },
  });
  return {
    federation,
    counts,
    answers,
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
    names: async () => (await federation.of(WORKLOAD)).map(({ trustDomain }) => trustDomain),
  };
}

test("asks nothing where nobody federates", async () => {
  const { federation, counts, answers, names } = stage();
  answers.bundles = [];
  await federation.refresh();
  assert.deepEqual(await names(), []);
  assert.equal(counts.asked, 0);
});

test("gives a workload what it may believe, asked for once a minute and after policies changed", async () => {
  const { federation, counts, answers, advance, names } = stage();
  assert.equal(await federation.refresh(), true);
  assert.equal(await federation.refresh(), false);
  assert.deepEqual(await names(), ["a.example"]);
  assert.deepEqual(await names(), ["a.example"]);
  assert.equal(counts.asked, 1);
  answers.names = async () => ["b.example"];
  federation.forget();
  assert.deepEqual(await names(), ["b.example"]);
  advance(60_000);
  answers.names = async () => [];
  // Nobody waits for what is probably the same; who was told otherwise hears of it.
  const { changed } = counts;
  assert.deepEqual(await names(), ["b.example"]);
  await sleep(10);
  assert.equal(counts.changed, changed + 1);
  assert.deepEqual(await names(), []);
  federation.close();
});

test("tells once the source answers that was away, and gives nothing of before policies changed for new", async () => {
  const { federation, counts, answers, names } = stage();
  await federation.refresh();
  answers.names = () => Promise.reject(new VouchsafeError("unavailable", "away"));
  const first = names();
  await sleep(10);
  answers.names = async () => ["a.example"];
  assert.deepEqual(await first, ["a.example"]);
  assert.ok(counts.asked >= 2);

  const late = Promise.withResolvers<readonly string[]>();
  answers.names = () => late.promise;
  federation.forget();
  const waiting = names();
  federation.forget();
  answers.names = async () => ["b.example"];
  late.resolve(["a.example", "b.example"]);
  assert.deepEqual(await waiting, ["b.example"]);
  federation.close();
});
