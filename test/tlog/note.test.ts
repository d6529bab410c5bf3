import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { encodeBase64 } from "../../src/tlog/base64.ts";
import { ed25519Signer, openNote, parseNote, parseVerifierKey, signNote } from "../../src/tlog/note.ts";
import { isKeyName } from "../../src/tlog/verifier-key.ts";
import fc from "../support/fc.ts";

/** The example of c2sp.org/signed-note. */
const EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE =
  "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const signer = ed25519Signer("log.example/one", generateKeyPairSync("ed25519").privateKey);
const other = ed25519Signer("log.example/two", generateKeyPairSync("ed25519").privateKey);
const verifier = parseVerifierKey(signer.verifierKey);

const malformed = { name: "VouchsafeError", code: "malformed-checkpoint" };

test("the specification's example verifies under its key", () => {
  assert.equal(openNote(EXAMPLE, [parseVerifierKey(EXAMPLE_KEY)]).text, "This is an example message.\n");
});

test("what a signer signs, its verifier key opens; the text may have empty lines of its own", () => {
  for (const text of ["one line\n", "two\n\nparagraphs\n", "\n", "ed è subito sera.\n"]) {
    const note = signNote(text, [other, signer]);
    const opened = openNote(note, [verifier]);
    assert.equal(opened.text, text);
    assert.deepEqual(
      opened.signatures.map(({ name }) => name),
      [other.name, signer.name],
    );
  }
});

test("a single changed byte is refused, wherever it is", () => {
  const note = Buffer.from(signNote("log.example/one\n7\n", [signer]));
  for (let i = 0; i < note.length; i += 1) {
    for (const bit of [1, 4, 0x20]) {
      const changed = Buffer.from(note.with(i, (note[i] as number) ^ bit)).toString();
      assert.throws(() => openNote(changed, [verifier]), malformed, `byte ${i}`);
    }
  }
});

test("signatures of other keys are passed over, also under the name or the id of a known one", () => {
  const impostor = ed25519Signer(signer.name, generateKeyPairSync("ed25519").privateKey);
  const sameId = { ...other, keyId: signer.keyId };
  openNote(signNote("text\n", [impostor, sameId, signer]), [verifier]);
  assert.throws(() => openNote(signNote("text\n", [impostor, sameId]), [verifier]), malformed);
});

test("one false signature of a known key spoils the note, whatever else signed it", () => {
  const liar = { ...signer, sign: () => Buffer.alloc(64) };
  const both = [verifier, parseVerifierKey(other.verifierKey)];
  assert.throws(() => openNote(signNote("text\n", [other, liar]), both), malformed);
  assert.throws(() => openNote(signNote("text\n", [signer, liar]), both), malformed);
});

test("notes of another form are refused", () => {
  const line = signNote("text\n", [signer]).slice("text\n\n".length);
  parseNote(`text\n\n${line}`);
  const signature = line.split(" ")[2]?.trim() as string;
  const cases: Record<string, string> = {
    "no signature": "text\n\n",
    "no blank line": `text\n${line}`,
    "no newline at the end": `text\n\n${line}`.slice(0, -1),
    "no text": line,
    "a carriage return": `text\r\n\n${line}`,
    "a tab": `te\txt\n\n${line}`,
    "a lone surrogate": `\ud800\n\n${line}`,
    "another dash": `text\n\n-${line.slice(1)}`,
    "two spaces": `text\n\n${line.replace(" ", "  ")}`,
    "something after the signature": `text\n\n${line.slice(0, -1)} x\n`,
    "no name": `text\n\n—  ${signature}\n`,
    "a plus in the name": `text\n\n— a+b ${signature}\n`,
    "a no-break space in the name": `text\n\n— a\u00a0b ${signature}\n`,
    "base64 without padding": `text\n\n— a ${signature.replace(/=+$/, "")}\n`,
    "base64 of the other alphabet": `text\n\n— a ${encodeBase64(Buffer.from("0000fbff", "hex")).replace("+", "-")}__==\n`,
    "a key id and nothing more": `text\n\n— a AAAAAA==\n`,
    "text after the signatures": `text\n\n${line}more\n`,
    "too many signatures": `text\n\n${line.repeat(101)}`,
    "too long": `${"x".repeat(600_000)}\n\n${line}`,
  };
  for (const [name, note] of Object.entries(cases)) assert.throws(() => parseNote(note), malformed, name);
  assert.equal(parseNote(`text\n\n${line.repeat(16)}`).signatures.length, 16);
});

test("no text makes parsing throw anything but our error", () => {
  const pieces = fc.constantFrom(
    "\n",
    "\n\n",
    "— ",
    "—",
    " ",
    "a",
    "+",
    "AAAAAAA=",
    "\u0000",
    "=",
    "é",
    "\ud800",
  );
  fc.assert(
    fc.property(
      fc.array(pieces).map((p) => p.join("")),
      (text) => {
        for (const parse of [parseNote, parseVerifierKey]) {
          try {
            parse(text);
          } catch (error) {
            assert.ok(error instanceof VouchsafeError);
          }
        }
      },
    ),
  );
});

test("a verifier key must fit together", () => {
  const [name, id, material] = [
    "example.com/foo",
    "530d903a",
    "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
  ];
  parseVerifierKey(`${name}+${id}+${material}`);
  const cases = [
    "",
    name,
    `${name}+${id}`,
    `+${id}+${material}`,
    `${name}+530D903A+${material}`,
    `${name}+530d903b+${material}`,
    `${name}x+${id}+${material}`,
    `${name}+${id}+${material.slice(0, -4)}`,
    `${name}+${id}+B${material.slice(1)}`,
    `${name}+${id}+${material} `,
  ];
  for (const text of cases) assert.throws(() => parseVerifierKey(text), { code: "invalid-request" }, text);
});

test("a base64 plus sign in a verifier key belongs to the key", () => {
  const withPlus = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
  assert.equal(parseVerifierKey(withPlus).name, "example.com/log/testdata");
});

test("key names hold neither spaces nor plus signs nor line ends", () => {
  for (const name of ["a", "example.com/log", "é"]) assert.ok(isKeyName(name));
  for (const name of ["", " ", "a b", "a+b", "a\nb", "a\u2003b", "a\u0085b", "a\ud800", "a\u0001"])
    assert.ok(!isKeyName(name));
});

test("only an Ed25519 key makes a signer, under a name that can be one", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  assert.throws(() => ed25519Signer("log.example", privateKey), RangeError);
  assert.throws(() => ed25519Signer("log example", generateKeyPairSync("ed25519").privateKey), RangeError);
});
