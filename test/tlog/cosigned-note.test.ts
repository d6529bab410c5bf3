import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { ed25519Cosigner } from "../../src/tlog/cosignature.ts";
import { joinSignatures } from "../../src/tlog/cosigned-note.ts";
import { ed25519Signer, signNote } from "../../src/tlog/note.ts";

const newKey = () => generateKeyPairSync("ed25519").privateKey;
const log = ed25519Signer("log.example", newKey());
const [ada, bob] = ["ada.example", "bob.example"].map((name) => ed25519Cosigner(name, newKey()));
const text = "log.example\n1\nroot\n";
const note = signNote(text, [log]);

test("a note has the signatures of both, each key's once and the first's", () => {
  const [early, late] = [ada?.cosign(text, 1), ada?.cosign(text, 2)];
  const other = bob?.cosign(text, 3);
  assert.equal(joinSignatures(note, note), note);
  assert.equal(joinSignatures(note + late, note + early + other), note + late + other);
});

test("signatures of another text are not joined", () => {
  assert.throws(() => joinSignatures(note, signNote("another\n", [log])), RangeError);
});
