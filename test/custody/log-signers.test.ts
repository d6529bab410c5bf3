import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { logSigners, requireSignedBy, signOlderTree, signTree } from "../../src/custody/log-signers.ts";
import type { LogHead } from "../../src/custody/log-store.ts";
import { EMPTY_FRONTIER, grow } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { ed25519Signer, type NoteSigner } from "../../src/tlog/note.ts";

const ORIGIN = "log.example/vouchsafe";
const signer = (name = ORIGIN) => ed25519Signer(name, generateKeyPairSync("ed25519").privateKey);
const [first, second, third] = [signer(), signer(), signer()];

function headOf(size: number, signers: readonly NoteSigner[], origin = ORIGIN): LogHead {
  const leaves = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(`${i}`)));
  const { after, root } = grow(EMPTY_FRONTIER, leaves);
  const checkpoint = size === 0 ? "" : signTree({ size, root }, logSigners(origin, signers));
  return { ...after, root, time: 0, checkpoint };
}

test("only a node whose keys are exactly those of the head goes on from it", () => {
  const mine = logSigners(ORIGIN, [first, second]);
  for (const signers of [
    [first, second],
    [second, first],
  ])
    assert.equal(requireSignedBy(headOf(3, signers), mine).length, 2);
  assert.equal(requireSignedBy(headOf(0, []), mine).length, 2);
  for (const signers of [[first], [second], [third], [first, third], [first, second, third]])
    assert.throws(() => requireSignedBy(headOf(3, signers), mine), { code: "log-key-mismatch" });
});

test("a change of keys goes on from the keys before it and from those after it, and from no others", () => {
  const before = logSigners(ORIGIN, [first]).verifiers;
  const change = logSigners(ORIGIN, [first, second], before);
  assert.deepEqual(requireSignedBy(headOf(3, [first]), change), before);
  assert.equal(requireSignedBy(headOf(3, [first, second]), change).length, 2);
  assert.throws(() => requireSignedBy(headOf(3, [second]), change), { code: "log-key-mismatch" });
});

test("a head without a checkpoint under the log's name is not built on", () => {
  const mine = logSigners(ORIGIN, [first]);
  const elsewhere = headOf(3, [signer("log.example/other")], "log.example/other");
  for (const head of [elsewhere, { ...elsewhere, checkpoint: "" }, { ...elsewhere, checkpoint: "a\n\nb\n" }])
    assert.throws(() => requireSignedBy(head, mine), { code: "log-inconsistent" });
});

test("an older tree is signed with today's keys, and by no node that lags behind them", () => {
  const older = headOf(2, [first]);
  const head = headOf(3, [first, second]);
  const mine = logSigners(ORIGIN, [first, second]);
  assert.equal(signOlderTree(head, older, mine), headOf(2, [first, second]).checkpoint);
  assert.equal(signOlderTree(head, head, mine), head.checkpoint);
  assert.throws(() => signOlderTree(head, older, logSigners(ORIGIN, [first])), { code: "log-key-mismatch" });
});
