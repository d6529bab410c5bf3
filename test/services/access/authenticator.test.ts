import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { ProjectId } from "../../../src/custody/events.ts";
import { VouchsafeError } from "../../../src/errors.ts";
import {
  type Authenticated,
  type Authenticator,
  createAuthenticator,
} from "../../../src/services/access/authenticator.ts";
import type { Caller } from "../../../src/services/caller.ts";

const FRESH = 5_000;
const STALE = 30_000;

let now: number;
let lookUps: string[];
let answer: (bearer: string) => Promise<Authenticated>;
let authenticator: Authenticator;

beforeEach(() => {
  now = 1_000_000;
  lookUps = [];
  answer = found;
  const lookUp = (bearer: string) => {
    lookUps.push(bearer);
    return answer(bearer);
  };
  authenticator = createAuthenticator({
    lookUp,
    clock: () => now,
    freshFor: FRESH,
    staleFor: STALE,
    maxTokens: 2,
  });
});

test("a token is looked up once while it is fresh, and again after", async () => {
  assert.equal((await authenticator.authenticate("a")).token, "a");
  now += FRESH - 1;
  await authenticator.authenticate("a");
  assert.deepEqual(lookUps, ["a"]);
  now += 1;
  await authenticator.authenticate("a");
  assert.deepEqual(lookUps, ["a", "a"]);
});

test("what is recalled is what is fresh, and never asks", async () => {
  assert.equal(authenticator.recall("a"), undefined);
  await authenticator.authenticate("a");
  now += FRESH - 1;
  assert.equal(authenticator.recall("a")?.token, "a");
  assert.equal(authenticator.recall("b"), undefined);
  authenticator.forget("a");
  assert.equal(authenticator.recall("a"), undefined);
  await authenticator.authenticate("a");
  now += FRESH;
  assert.equal(authenticator.recall("a"), undefined);
  assert.deepEqual(lookUps, ["a", "a"]);
});

test("a revoked token is refused as soon as it is no longer fresh, and stays refused", async () => {
  await authenticator.authenticate("a");
  answer = refuse;
  now += FRESH;
  await refusedWith("unauthenticated", "a");
  answer = fail;
  await refusedWith("unavailable", "a");
});

test("a token that was revoked here is refused at once", async () => {
  await authenticator.authenticate("a");
  answer = refuse;
  authenticator.forget("a");
  await refusedWith("unauthenticated", "a");
});

test("a token that is revoked while it is looked up is refused to whoever comes after", async () => {
  const slow = Promise.withResolvers<Authenticated>();
  answer = () => slow.promise;
  const before = authenticator.authenticate("a");
  answer = refuse;
  authenticator.forget("a");
  const after = refusedWith("unauthenticated", "a");
  slow.resolve(await found("a"));
  await before;
  await after;
  assert.equal(authenticator.recall("a"), undefined);
  await refusedWith("unauthenticated", "a");
});

test("refusals are not remembered", async () => {
  answer = refuse;
  await refusedWith("unauthenticated", "a");
  answer = found;
  assert.equal((await authenticator.authenticate("a")).token, "a");
});

test("without a database a known caller is believed within the staleness bound, an unknown one never", async () => {
  await authenticator.authenticate("a");
  answer = fail;
  now += STALE - 1;
  assert.equal((await authenticator.authenticate("a")).token, "a");
  await refusedWith("unavailable", "b");
  now += 1;
  await refusedWith("unavailable", "a");
});

test("a token that ends is refused from that moment on, remembered or not, database or not", async () => {
  answer = async (bearer) => ({ ...(await found(bearer)), expiresAt: now + 1000 });
  await authenticator.authenticate("a");
  now += 1000;
  assert.equal(authenticator.recall("a"), undefined);
  answer = fail;
  await refusedWith("unavailable", "a");
});

test("calls at once share one look-up, and a failed one is not kept", async () => {
  await Promise.all([1, 2, 3].map(() => authenticator.authenticate("a")));
  assert.deepEqual(lookUps, ["a"]);
  answer = fail;
  await refusedWith("unavailable", "b");
  answer = found;
  assert.equal((await authenticator.authenticate("b")).token, "b");
});

test("memory is bounded: the token looked up first leaves first", async () => {
  for (const bearer of ["a", "b", "c"]) await authenticator.authenticate(bearer);
  await authenticator.authenticate("c");
  await authenticator.authenticate("b");
  assert.deepEqual(lookUps, ["a", "b", "c"]);
  await authenticator.authenticate("a");
  assert.deepEqual(lookUps, ["a", "b", "c", "a"]);
});

async function found(token: string): Promise<Authenticated> {
  const caller: Caller = {
    token,
    name: token,
    project: "p" as ProjectId,
    roles: ["auditor"],
    policies: [],
    mayChoosePolicy: false,
  };
  return { caller, expiresAt: Number.POSITIVE_INFINITY };
}

async function refuse(): Promise<never> {
  throw new VouchsafeError("unauthenticated", "revoked");
}

async function fail(): Promise<never> {
  throw new VouchsafeError("unavailable", "no database");
}

async function refusedWith(code: string, bearer: string): Promise<void> {
  await assert.rejects(authenticator.authenticate(bearer), (error: VouchsafeError) => error.code === code);
}

test("what is good once is neither remembered nor shared by calls that come at once", async () => {
  const used = new Set<string>();
  answer = async (bearer) => {
    await new Promise(setImmediate);
    if (used.has(bearer)) throw new VouchsafeError("token-replayed", "used before");
    used.add(bearer);
    return { ...(await found(bearer)), once: true };
  };
  const answers = await Promise.allSettled([1, 2, 3].map(() => authenticator.authenticate("a")));
  assert.deepEqual(
    answers.map(({ status }) => status),
    ["fulfilled", "rejected", "rejected"],
  );
  assert.equal(authenticator.recall("a"), undefined);
  await assert.rejects(authenticator.authenticate("a"), { code: "token-replayed" });
});

test("a caller whom no rule takes any more is forgotten at once, and not believed as in an outage", async () => {
  await authenticator.authenticate("a");
  now += FRESH;
  answer = async () => {
    throw new VouchsafeError("no-access-rule", "the rule is gone");
  };
  await assert.rejects(authenticator.authenticate("a"), { code: "no-access-rule" });
  answer = async () => {
    throw new VouchsafeError("unavailable", "no database");
  };
  await assert.rejects(authenticator.authenticate("a"), { code: "unavailable" });
});
