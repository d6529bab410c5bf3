import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { EMPTY_ROOT } from "../../src/tlog/hash.ts";
import { openLogCheckpoint, parseLogKeys } from "../../src/tlog/log-keys.ts";
import { ed25519Signer } from "../../src/tlog/note.ts";
import { keyLabel } from "../../src/tlog/verifier-key.ts";

const ORIGIN = "log.example/vouchsafe";
const signer = (name = ORIGIN) => ed25519Signer(name, generateKeyPairSync("ed25519").privateKey);
const [first, second, stranger] = [signer(), signer(), signer()];
const overlapping = signCheckpoint({ origin: ORIGIN, size: 0, root: EMPTY_ROOT }, [first, second]);

test("while two keys overlap, a reader needs either and is told of the other", () => {
  for (const [known, other] of [
    [first, second],
    [second, first],
  ] as const) {
    const { size, others } = openLogCheckpoint(overlapping, parseLogKeys(known.verifierKey));
    assert.equal(size, 0);
    assert.deepEqual(others.map(keyLabel), [keyLabel(other)]);
  }
  const both = parseLogKeys(`${first.verifierKey}\n${second.verifierKey}\n`);
  assert.deepEqual(openLogCheckpoint(overlapping, both).others, []);
  assert.throws(() => openLogCheckpoint(overlapping, parseLogKeys(stranger.verifierKey)), {
    code: "malformed-checkpoint",
  });
});

test("a false signature of a key that is known spoils the checkpoint, though another holds", () => {
  const [, , , , line = ""] = overlapping.split("\n");
  const other = signCheckpoint({ origin: ORIGIN, size: 1, root: EMPTY_ROOT }, [first]).split("\n")[4] ?? "";
  const spoiled = overlapping.replace(line, other);
  const open = (keys: string) => openLogCheckpoint(spoiled, parseLogKeys(keys));
  assert.equal(open(second.verifierKey).size, 0);
  for (const keys of [first.verifierKey, `${second.verifierKey}\n${first.verifierKey}`])
    assert.throws(() => open(keys), { code: "malformed-checkpoint" });
});

test("a checkpoint of another log that the same key signed is not this log's", () => {
  const elsewhere = signCheckpoint({ origin: "log.example/other", size: 0, root: EMPTY_ROOT }, [first]);
  assert.throws(() => openLogCheckpoint(elsewhere, parseLogKeys(first.verifierKey)), {
    code: "malformed-checkpoint",
  });
});

test("keys that are none, none at all, too many, or of several logs are refused", () => {
  for (const text of [
    "",
    "\n",
    "a key",
    `${first.verifierKey}\n\n${second.verifierKey}`,
    `${first.verifierKey}\n${signer("log.example/other").verifierKey}`,
    `${first.verifierKey}\n`.repeat(17),
  ])
    assert.throws(() => parseLogKeys(text), { code: "invalid-request" }, JSON.stringify(text));
  assert.equal(parseLogKeys(`${first.verifierKey}\r\n${second.verifierKey}\r\n`).verifiers.length, 2);
});
