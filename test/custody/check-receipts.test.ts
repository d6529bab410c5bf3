import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { type AskedLog, checkReceipts } from "../../src/custody/check-receipts.ts";
import type { ProjectId } from "../../src/custody/events.ts";
import { encodeLeaf } from "../../src/custody/leaf.ts";
import { type ProvenEntry, receiptsIn } from "../../src/custody/receipt.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { encodeBase64 } from "../../src/tlog/base64.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { ed25519Cosigner } from "../../src/tlog/cosignature.ts";
import { EMPTY_FRONTIER, grow } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { ed25519Signer } from "../../src/tlog/note.ts";
import { proveConsistency } from "../../src/tlog/proofs.ts";
import { parseWitnessPolicy } from "../../src/tlog/witness-policy.ts";

const signer = ed25519Signer("log.example/vouchsafe", generateKeyPairSync("ed25519").privateKey);
const PROJECT = "6f1f7c7e-3f5b-4c39-9a53-0f4a2c1d9b10" as ProjectId;

/** Entries that differ by their time; from `fork` on they are another log's. */
function entries(count: number, fork = count): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    encodeLeaf({
      type: "decision.recorded",
      time: i < fork ? i : 1_000_000 + i,
      project: PROJECT,
      bodyHash: new Uint8Array(32),
      previous: [],
    }),
  );
}

function treeOf(leaves: readonly Uint8Array[]) {
  const tree = grow(EMPTY_FRONTIER, leaves.map(leafHash));
  const checkpoint = signCheckpoint({ origin: signer.name, size: leaves.length, root: tree.root }, [signer]);
  return { tree, checkpoint };
}

function receiptOf(leaves: readonly Uint8Array[], index: number): ProvenEntry {
  const { tree, checkpoint } = treeOf(leaves);
  const inclusionProof = tree.inclusionProof(index).map(encodeBase64);
  return { index, treeSize: leaves.length, inclusionProof, checkpoint };
}

/** A log that answers by what it has now: less than a tile. */
function logOf(leaves: readonly Uint8Array[]): AskedLog {
  const hashes = Buffer.concat(leaves.map(leafHash));
  return {
    entry: async (index, treeSize) => {
      assert.ok(index < treeSize, "it is asked for what a tree of that size has");
      return leaves[index] ?? refuse();
    },
    growth: async (from) => {
      if (from > leaves.length) refuse();
      const proof = await proveConsistency(async (tiles) => tiles.map(() => hashes), from, leaves.length);
      return { checkpoint: treeOf(leaves).checkpoint, hashes: proof.map(encodeBase64) };
    },
  };
}

function refuse(): never {
  throw new VouchsafeError("proof-invalid", "it has none");
}

const found = async (receipts: readonly ProvenEntry[], log: AskedLog, key = signer.verifierKey) => {
  const { ok, checks } = await checkReceipts(receipts, key, log);
  return [ok, ...checks.map(({ check, status }) => `${check} ${status}`)];
};

test("a log that has grown shows what it promised: each checkpoint once, and each entry", async () => {
  const then = entries(7);
  const receipts = [receiptOf(then, 3), receiptOf(then, 6), receiptOf(entries(8), 7)];
  const { ok, checks } = await checkReceipts(receipts, signer.verifierKey, logOf(entries(11)));
  assert.ok(ok);
  assert.deepEqual(
    checks.map(({ check, status, event }) => [check, status, event]),
    [
      ["checkpoint", "holds", undefined],
      ["consistency", "holds", undefined],
      ["inclusion", "holds", 3],
      ["inclusion", "holds", 6],
      ["checkpoint", "holds", undefined],
      ["consistency", "holds", undefined],
      ["inclusion", "holds", 7],
    ],
  );
  assert.match(
    checks[2]?.statement ?? "",
    /^Entry 3 .*: decision\.recorded, recorded at 1970-01-01T00:00:00\.003Z/,
  );
});

test("a log that was cut off, forked before the entry, or forked after it does not", async () => {
  const receipts = [receiptOf(entries(7), 5)];
  const cutOff = await found(receipts, logOf(entries(6)));
  assert.deepEqual(cutOff, [false, "checkpoint holds", "consistency fails", "inclusion holds"]);
  const gone = await found(receipts, logOf(entries(5)));
  assert.deepEqual(gone, [false, "checkpoint holds", "consistency fails", "inclusion fails"]);
  const before = await found(receipts, logOf(entries(11, 4)));
  assert.deepEqual(before, [false, "checkpoint holds", "consistency fails", "inclusion fails"]);
  const after = await found(receipts, logOf(entries(11, 6)));
  assert.deepEqual(after, [false, "checkpoint holds", "consistency fails", "inclusion holds"]);
});

test("a receipt that the log did not give is held against nobody's log", async () => {
  const other = ed25519Signer(signer.name, generateKeyPairSync("ed25519").privateKey);
  const good = receiptOf(entries(7), 5);
  assert.deepEqual(await found([good], logOf(entries(11)), other.verifierKey), [false, "checkpoint fails"]);
  const changed: readonly Partial<ProvenEntry>[] = [
    { index: 4 },
    { index: 7 },
    { treeSize: 8 },
    { inclusionProof: [] },
    { inclusionProof: ["!"] },
  ];
  for (const change of changed) {
    const [, ...checks] = await found([{ ...good, ...change }], logOf(entries(11)));
    assert.deepEqual(
      checks,
      ["checkpoint holds", "consistency holds", "inclusion fails"],
      JSON.stringify(change),
    );
  }
});

test("checkpoints that the witnesses given have not cosigned do not hold", async () => {
  const { verifierKey } = ed25519Cosigner("ada.example/w", generateKeyPairSync("ed25519").privateKey);
  const policy = parseWitnessPolicy(Buffer.from(`witness ada ${verifierKey}\nquorum ada\n`));
  const receipts = [receiptOf(entries(7), 5)];
  const { ok, checks } = await checkReceipts(receipts, signer.verifierKey, logOf(entries(7)), policy);
  assert.ok(!ok);
  assert.match(checks.find(({ status }) => status === "fails")?.statement ?? "", /cosigned by none/);
});

test("what the log answers is not believed, and that it cannot be asked is no finding", async () => {
  const good = receiptOf(entries(7), 5);
  const honest = logOf(entries(11));
  const unsigned = { ...honest, growth: async () => ({ checkpoint: "no note", hashes: [] }) };
  assert.deepEqual((await found([good], unsigned))[2], "consistency fails");
  const garbled = { ...honest, growth: async () => ({ ...(await honest.growth(7)), hashes: ["!"] }) };
  assert.deepEqual((await found([good], garbled))[2], "consistency fails");
  const away = { ...honest, growth: () => Promise.reject(new Error("nobody is there")) };
  await assert.rejects(found([good], away), /nobody is there/);
});

test("receipts are found in answers and in lists; a malformed one is refused", () => {
  const { index, treeSize, inclusionProof, checkpoint } = receiptOf(entries(7), 5);
  const proven = { index, treeSize, inclusionProof: [...inclusionProof], checkpoint };
  const receipt = { ...proven, durable: true, witnessed: false };
  const nested = {
    results: [{ status: "accepted", receipt }, { status: "refused", receipt: null }, 7, "text"],
  };
  assert.deepEqual(receiptsIn(nested), [proven]);
  assert.deepEqual(receiptsIn([{ receipts: [receipt, receipt] }, proven]), [proven, proven, proven]);
  assert.deepEqual(receiptsIn({ checkpoint }), []);
  for (const [name, value] of [
    ["index", -1],
    ["index", 0.5],
    ["treeSize", "7"],
    ["inclusionProof", "AA"],
    ["inclusionProof", [1]],
    ["checkpoint", null],
  ] as const)
    assert.throws(() => receiptsIn({ ...receipt, [name]: value }), { code: "invalid-request" }, name);
});
