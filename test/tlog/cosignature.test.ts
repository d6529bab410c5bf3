import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { formatCheckpoint } from "../../src/tlog/checkpoint.ts";
import { ed25519Cosigner, parseCosignatureKey } from "../../src/tlog/cosignature.ts";
import { EMPTY_ROOT } from "../../src/tlog/hash.ts";
import { ed25519Signer, openNote, parseVerifierKey, signNote } from "../../src/tlog/note.ts";
import { parseWitnessPolicy } from "../../src/tlog/witness-policy.ts";
import { witnessesOf } from "../../src/tlog/witnesses.ts";
import fc from "../support/fc.ts";

const newKey = () => generateKeyPairSync("ed25519").privateKey;
const log = ed25519Signer("log.example/one", newKey());
const [ada, bob, eve] = ["ada.example/w", "bob.example/w", "eve.example/w"].map((name) =>
  ed25519Cosigner(name, newKey()),
) as [
  ReturnType<typeof ed25519Cosigner>,
  ReturnType<typeof ed25519Cosigner>,
  ReturnType<typeof ed25519Cosigner>,
];
const policy = parseWitnessPolicy(
  Buffer.from(
    `witness ada ${ada.verifierKey}\nwitness bob ${bob.verifierKey}\ngroup both all ada bob\nquorum both\n`,
  ),
);

const text = formatCheckpoint({ origin: log.name, size: 7, root: EMPTY_ROOT });
const note = signNote(text, [log]);
const malformed = { name: "VouchsafeError", code: "malformed-checkpoint" };

test("a cosignature opens the note under its witness's key, and under no other", () => {
  const cosigned = note + ada.cosign(text, 1_700_000_000);
  openNote(cosigned, [parseCosignatureKey(ada.verifierKey)]);
  openNote(cosigned, [parseVerifierKey(log.verifierKey)]);
  assert.throws(() => openNote(cosigned, [parseCosignatureKey(bob.verifierKey)]), malformed);
});

test("a changed bit of a cosignature, its time among it, spoils it", () => {
  const line = ada.cosign(text, 1_700_000_000);
  const [, , base64 = ""] = line.trimEnd().split(" ");
  const bytes = Buffer.from(base64, "base64");
  for (let i = 4; i < bytes.length; i += 1) {
    const changed = Buffer.from(bytes.with(i, (bytes[i] as number) ^ 1)).toString("base64");
    assert.throws(() => witnessesOf(note + line.replace(base64, changed), policy), malformed, `byte ${i}`);
  }
});

test("what a witness signs as a note is no cosignature of its, nor the other way round", () => {
  const key = newKey();
  const asLog = ed25519Signer("same.example", key);
  const asWitness = ed25519Cosigner("same.example", key);
  const both = signNote(text, [asLog]) + asWitness.cosign(text, 1);
  const only = parseWitnessPolicy(Buffer.from(`witness w ${asWitness.verifierKey}\nquorum w\n`));
  assert.deepEqual(witnessesOf(both, only).cosigned, [{ witness: "w", time: 1 }]);
  assert.deepEqual(witnessesOf(signNote(text, [asLog]), only).cosigned, []);
  assert.throws(() => parseCosignatureKey(asLog.verifierKey), { code: "invalid-request" });
  assert.throws(() => parseVerifierKey(asWitness.verifierKey), { code: "invalid-request" });
});

test("each witness counts once, strangers do not, and are told", () => {
  assert.deepEqual(witnessesOf(note, policy), { cosigned: [], quorum: false, unknown: [] });
  const twice = note + ada.cosign(text, 20) + ada.cosign(text, 10) + eve.cosign(text, 30);
  assert.deepEqual(witnessesOf(twice, policy), {
    cosigned: [{ witness: "ada", time: 20 }],
    quorum: false,
    unknown: [eve.name],
  });
  const enough = witnessesOf(twice + bob.cosign(text, 40), policy);
  assert.equal(enough.quorum, true);
  assert.deepEqual(
    enough.cosigned.map(({ witness }) => witness),
    ["ada", "bob"],
  );
});

test("a cosignature of another checkpoint is false, and spoils the note", () => {
  const other = formatCheckpoint({ origin: log.name, size: 8, root: EMPTY_ROOT });
  assert.throws(() => witnessesOf(note + ada.cosign(other, 1), policy), malformed);
});

test("times are whole seconds, and any of them can be signed", () => {
  const verifier = parseCosignatureKey(ada.verifierKey);
  fc.assert(
    fc.property(fc.maxSafeNat(), (time) => {
      openNote(note + ada.cosign(text, time), [verifier]);
    }),
    { numRuns: 50 },
  );
  for (const time of [-1, 0.5, 2 ** 53, Number.NaN]) assert.throws(() => ada.cosign(text, time), RangeError);
});
