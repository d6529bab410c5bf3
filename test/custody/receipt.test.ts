import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { createReceipt, type Receipt, verifyReceipt } from "../../src/custody/receipt.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { EMPTY_FRONTIER, grow } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { ed25519Signer } from "../../src/tlog/note.ts";

const signer = ed25519Signer("log.example/vouchsafe", generateKeyPairSync("ed25519").privateKey);
const leaves = Array.from({ length: 11 }, (_, i) => Buffer.from(`leaf ${i}`));
const growth = grow(EMPTY_FRONTIER, leaves.map(leafHash));
const checkpoint = signCheckpoint({ origin: signer.name, size: 11, root: growth.root }, [signer]);

function receiptOf(index: number): Receipt {
  return createReceipt({
    index,
    treeSize: 11,
    proof: growth.inclusionProof(index),
    checkpoint,
    durable: true,
    witnessed: false,
  });
}

function leafAt(index: number): Uint8Array {
  return leaves[index] as Uint8Array;
}

test("the receipt of each event of a batch verifies, and survives JSON", () => {
  for (const [index, leaf] of leaves.entries()) {
    const receipt: Receipt = JSON.parse(JSON.stringify(receiptOf(index)));
    assert.equal(verifyReceipt(leaf, receipt, signer.verifierKey).size, 11);
  }
});

test("a receipt proves one leaf at one place in one log", () => {
  const good = receiptOf(6);
  const invalid = { code: "proof-invalid" };
  const key = signer.verifierKey;
  assert.throws(() => verifyReceipt(leafAt(5), good, key), invalid);
  assert.throws(() => verifyReceipt(leafAt(6), { ...good, index: 5 }, key), invalid);
  assert.throws(() => verifyReceipt(leafAt(6), { ...good, treeSize: 12 }, key), invalid);
  assert.throws(
    () => verifyReceipt(leafAt(6), { ...good, inclusionProof: good.inclusionProof.slice(1) }, key),
    invalid,
  );
  assert.throws(
    () => verifyReceipt(leafAt(6), { ...good, inclusionProof: good.inclusionProof.with(0, "AA") }, key),
    invalid,
  );

  const other = ed25519Signer(signer.name, generateKeyPairSync("ed25519").privateKey);
  assert.throws(() => verifyReceipt(leafAt(6), good, other.verifierKey), { code: "malformed-checkpoint" });
  const elsewhere = signCheckpoint({ origin: "log.example/other", size: 11, root: growth.root }, [signer]);
  assert.throws(() => verifyReceipt(leafAt(6), { ...good, checkpoint: elsewhere }, key), {
    code: "malformed-checkpoint",
  });
  assert.throws(() => verifyReceipt(leafAt(6), good, "no key"), { code: "invalid-request" });
});
