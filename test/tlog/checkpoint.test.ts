import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { encodeBase64 } from "../../src/tlog/base64.ts";
import {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from "../../src/tlog/checkpoint.ts";
import { EMPTY_ROOT } from "../../src/tlog/hash.ts";
import { ed25519Signer, parseVerifierKey, signNote } from "../../src/tlog/note.ts";

const ORIGIN = "log.example/one";
const ROOT = encodeBase64(EMPTY_ROOT);
const signer = ed25519Signer(ORIGIN, generateKeyPairSync("ed25519").privateKey);
const verifiers = [parseVerifierKey(signer.verifierKey)];
const malformed = { name: "VouchsafeError", code: "malformed-checkpoint" };

test("a signed checkpoint opens as what was signed", () => {
  for (const size of [0, 1, 4294967296, Number.MAX_SAFE_INTEGER]) {
    const checkpoint = { origin: ORIGIN, size, root: EMPTY_ROOT };
    const opened = openCheckpoint(signCheckpoint(checkpoint, [signer]), ORIGIN, verifiers);
    assert.deepEqual({ ...opened, root: encodeBase64(opened.root) }, { ...checkpoint, root: ROOT });
  }
});

test("a checkpoint is the three lines of the specification", () => {
  assert.equal(formatCheckpoint({ origin: ORIGIN, size: 12, root: EMPTY_ROOT }), `${ORIGIN}\n12\n${ROOT}\n`);
});

test("extension lines are passed over", () => {
  assert.equal(parseCheckpoint(`${ORIGIN}\n12\n${ROOT}\nTimestamp: 1\n`).size, 12);
});

test("a checkpoint of another log is refused, though a trusted key signed it", () => {
  const note = signCheckpoint({ origin: "log.example/two", size: 1, root: EMPTY_ROOT }, [signer]);
  assert.throws(() => openCheckpoint(note, ORIGIN, verifiers), malformed);
});

test("texts that are no checkpoint are refused, though a trusted key signed them", () => {
  const texts = [
    "\n",
    `${ORIGIN}\n`,
    `${ORIGIN}\n12\n`,
    `\n12\n${ROOT}\n`,
    `${ORIGIN}\n12\n\n${ROOT}\n`,
    `${ORIGIN}\n12\n${ROOT}\n\n`,
    ...[
      "012",
      "+12",
      "-1",
      "1e3",
      "12.0",
      " 12",
      "0x10",
      "",
      "twelve",
      "9007199254740992",
      "99999999999999999999",
    ].map((size) => `${ORIGIN}\n${size}\n${ROOT}\n`),
    ...[
      ROOT.slice(0, -1),
      `${ROOT}=`,
      encodeBase64(new Uint8Array(31)),
      encodeBase64(new Uint8Array(33)),
      "",
    ].map((root) => `${ORIGIN}\n12\n${root}\n`),
  ];
  for (const text of texts) {
    assert.throws(
      () => openCheckpoint(signNote(text, [signer]), ORIGIN, verifiers),
      malformed,
      JSON.stringify(text),
    );
  }
  assert.throws(() => parseCheckpoint(`${ORIGIN}\n12\n${ROOT}`), malformed);
});

test("what cannot be read back is not formatted", () => {
  const good = { origin: ORIGIN, size: 1, root: EMPTY_ROOT };
  const bad = [{ origin: "" }, { origin: "a\nb" }, { size: -1 }, { size: 1.5 }, { root: new Uint8Array(31) }];
  for (const change of bad) assert.throws(() => formatCheckpoint({ ...good, ...change }), RangeError);
});
