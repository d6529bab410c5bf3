import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { openChangeFeed } from "../../src/workload/change-feed.ts";
import type { Change, IdentitySource } from "../../src/workload/identity-source.ts";

const DIGEST = sha256("widget");
const OTHER = sha256("other");

/** Watches that are answered one by one, and a feed of them. */
function watched() {
  const asked: (number | undefined)[] = [];
  const onFailure = mock.fn();
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
  // No jitter: tries come one event loop turn after another.
  const feed = openChangeFeed({ source, onFailure, random: () => 0 });
  return { feed, asked, answer, onFailure };
}

describe("the change feed", () => {
  test("tells whoever follows a touched digest until it follows no more", async () => {
    const { feed, asked, answer } = watched();
    const [one, two] = [mock.fn(), mock.fn()];
    await answer(({ resolve }) => resolve({ asOf: 5, touched: [] }));
    const unfollow = feed.follow([DIGEST], one);
    feed.follow([OTHER], two);
    await answer(({ resolve }) => resolve({ asOf: 7, touched: [DIGEST] }));
    assert.deepEqual([one.mock.callCount(), two.mock.callCount()], [1, 0]);
    await answer(({ resolve }) => resolve({ asOf: 8, touched: "all" }));
    assert.deepEqual([one.mock.callCount(), two.mock.callCount()], [2, 1]);
    unfollow();
    await answer(({ resolve }) => resolve({ asOf: 9, touched: "all" }));
    assert.deepEqual([one.mock.callCount(), two.mock.callCount()], [2, 2]);
    assert.deepEqual(asked, [undefined, 5, 7, 8, 9]);
    await feed.close();
  });

  test("goes on after a failure from where it was, tells of the first one, and touches what was touched alone", async () => {
    const { feed, asked, answer, onFailure } = watched();
    const [one, two] = [mock.fn(), mock.fn()];
    await answer(({ resolve }) => resolve({ asOf: 5, touched: [] }));
    feed.follow([DIGEST], one);
    feed.follow([OTHER], two);
    for (let failures = 0; failures < 3; failures += 1) {
      await answer(({ reject }) => reject(new VouchsafeError("unavailable", "away")));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await answer(({ resolve }) => resolve({ asOf: 9, touched: [DIGEST] }));
    assert.deepEqual(asked, [undefined, 5, 5, 5, 5, 9]);
    assert.deepEqual([one.mock.callCount(), two.mock.callCount()], [1, 0]);
    assert.equal(onFailure.mock.callCount(), 1);
    await feed.close();
  });

  test("what was granted before anybody listened is touched", async () => {
    const { feed, answer } = watched();
    const one = mock.fn();
    feed.follow([DIGEST], one);
    await answer(({ resolve }) => resolve({ asOf: 5, touched: [] }));
    assert.equal(one.mock.callCount(), 1);
    await feed.close();
  });
});
