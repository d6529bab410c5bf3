import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeLeaf, encodeLeaf } from "../../../src/custody/leaf.ts";
import { checkComplete } from "../../../src/custody/pack/complete.ts";
import type { PackCheck } from "../../../src/custody/pack/report.ts";
import { openPackVerifier } from "../../../src/custody/verify-pack.ts";
import { parseCheckpoint } from "../../../src/tlog/checkpoint.ts";
import { parseNote } from "../../../src/tlog/note.ts";
import type { ServedLog } from "../../../src/tlog/served-log.ts";
import { TILE_WIDTH } from "../../../src/tlog/tiles.ts";
import { naiveTree } from "../../tlog/naive-tree.ts";
import { buildPack, type PackInput } from "../build-pack.ts";
import { ARTIFACT, byBuilder, firstPolicies, firstTrust, OTHER } from "../evidence.ts";
import { logSigner, type SmallLog, smallLog } from "../small-log.ts";

/** A log with a quarantine of the artifact as its chain's last event, and much that is not about it after that. */
function quarantined(): SmallLog {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  log.push(byBuilder("run"));
  const body = { id: "q", artifact: ARTIFACT, reason: "leak", caller: "token" };
  log.append({ type: "quarantine.opened", about: [ARTIFACT], body });
  for (let i = 0; i < 2 * TILE_WIDTH; i += 1)
    log.append({ type: "decision.recorded", about: [OTHER], body: { artifact: OTHER } });
  return log;
}

function served({ events }: SmallLog, changed = -1): ServedLog {
  const leaves = events.map(({ leaf }, i) => (i === changed ? leaf.with(5, (leaf[5] ?? 0) ^ 1) : leaf));
  const tree = naiveTree(events.map(({ leaf }) => leaf));
  return {
    checkpoint: () => assert.fail("the file's own is what counts"),
    readTiles: async (tiles) => tiles.map(({ level, tile, width }) => tree.tile(level, tile, width)),
    entries: async (first, size) =>
      leaves.slice(first, Math.min(size, (Math.floor(first / TILE_WIDTH) + 1) * TILE_WIDTH)),
  };
}

async function complete(input: PackInput, log: ServedLog): Promise<readonly PackCheck[]> {
  const verifier = openPackVerifier(logSigner.verifierKey);
  verifier.read(buildPack(input));
  assert.ok(verifier.finish().ok, "without the log nothing is amiss");
  const ends = verifier.ends();
  assert.ok(ends);
  const reading = checkComplete(ends, log);
  const rounds: number[] = [];
  for (;;) {
    const { done, value } = await reading.next();
    if (!done) rounds.push(value.done);
    else {
      assert.deepEqual(
        rounds,
        rounds.toSorted((a, b) => a - b),
      );
      return value;
    }
  }
}

const statuses = (checks: readonly PackCheck[]) => checks.map(({ status, event }) => [status, event]);

test("a file with all events of its chains is shown to be complete as of its size, by every later entry", async () => {
  const log = quarantined();
  const [check, ...others] = await complete(log.packInput(), served(log));
  assert.deepEqual(others, []);
  assert.equal(check?.status, "holds");
  const { size } = parseCheckpoint(parseNote(log.packInput().checkpoint).text);
  assert.match(check.statement, new RegExp(`as of its size of ${size}\\.$`));
});

test("the last event of a chain that was left out is found, which the file itself cannot show", async () => {
  const log = quarantined();
  const input = log.packInput();
  const events = input.events.slice(0, -1);
  const hidden = input.events.at(-1)?.event;
  assert.equal(hidden?.type, "quarantine.opened");
  const found = await complete({ ...input, events }, served(log));
  assert.deepEqual(statuses(found), [["fails", hidden.index]]);
});

test("a chain that goes on twice in the log is found, though the file shows one of them without a gap", async () => {
  const log = smallLog();
  log.activateTrust(firstTrust);
  const denied = log.append({ type: "identity.denied", about: [ARTIFACT], body: denial });
  const body = { id: "q", artifact: ARTIFACT, reason: "leak", caller: "token" };
  const hidden = log.append({ type: "quarantine.opened", about: [ARTIFACT], body });
  const shown = log.append({ type: "identity.denied", about: [ARTIFACT], body: denial });
  const leaf = encodeLeaf({ ...decodeLeaf(shown.leaf), previous: [denied.index] });
  log.events[shown.index] = { ...shown, previous: [denied.index], leaf };
  const input = log.packInput();
  const events = input.events.filter(({ event }) => event.index !== hidden.index);
  assert.deepEqual(statuses(await complete({ ...input, events }, served(log))), [["fails", hidden.index]]);
});

test("of a chain that the file has no event of, completeness is not claimed", async () => {
  const log = smallLog();
  log.append({ type: "identity.denied", about: [ARTIFACT], body: denial });
  const [own, wide, ...others] = await complete(log.packInput(), served(log));
  assert.deepEqual(others, []);
  assert.deepEqual([own?.status, wide?.status], ["holds", "not-re-verifiable"]);
});

test("entries that are not those of the file's tree show nothing", async () => {
  const log = quarantined();
  const input = log.packInput();
  const last = input.events.at(-1)?.event.index ?? 0;
  for (const lying of [served(log, last + 1), served(log, log.events.length - 1), served(anotherStory())]) {
    const [check] = await complete(input, lying);
    assert.equal(check?.status, "fails");
    assert.match(check.statement, /not those of the tree/);
  }
});

/** The same story with another end. */
function anotherStory(): SmallLog {
  const log = smallLog();
  log.activateTrust(firstTrust);
  for (let i = 0; i < 3 * TILE_WIDTH; i += 1)
    log.append({ type: "decision.recorded", about: [OTHER], body: { artifact: OTHER, i } });
  return log;
}

test("an entry that follows an event of several artifacts may be of another's chain: that is not shown here", async () => {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  log.push(byBuilder("run", [ARTIFACT, OTHER]));
  // Each has a verdict of its own, with which its chain goes on.
  const body = { id: "q", artifact: OTHER, reason: "leak", caller: "token" };
  log.append({ type: "quarantine.opened", about: [OTHER], body });
  assert.equal((await complete(log.packInput(), served(log)))[0]?.status, "holds");

  const shared = smallLog();
  shared.activateTrust(firstTrust);
  shared.append({ type: "identity.denied", about: [ARTIFACT, OTHER], body: denial });
  const next = shared.append({ type: "identity.denied", about: [OTHER], body: denial });
  assert.deepEqual(statuses(await complete(shared.packInput(), served(shared))), [
    ["not-re-verifiable", next.index],
  ]);
});

const denial = { requester: "issuer:broker", reasons: [{ code: "no-verdict" }], count: 1, since: "then" };
