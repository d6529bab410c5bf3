import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { bodyHash, encodeBody } from "../../../src/custody/body.ts";
import { type EventType, INSTALLATION, type LogEvent, PROJECT_CHAIN } from "../../../src/custody/events.ts";
import { encodeLeaf } from "../../../src/custody/leaf.ts";
import { signFarewell, sizeInFarewell } from "../../../src/custody/log-keys/farewell.ts";
import { verifyLogKeys } from "../../../src/custody/log-keys/verify.ts";
import { logSigners, signTree } from "../../../src/custody/log-signers.ts";
import type { JsonObject, JsonValue } from "../../../src/in-toto-attestation/types.ts";
import { encodeBase64 } from "../../../src/tlog/base64.ts";
import { ed25519Signer, type NoteSigner } from "../../../src/tlog/note.ts";
import { keyLabel } from "../../../src/tlog/verifier-key.ts";
import { naiveTree } from "../../tlog/naive-tree.ts";

/*
 * What a server could answer that has the log's entries and checkpoints, but none of its keys: it signs with its own.
 */

const ORIGIN = "log.example/vouchsafe";
const signer = () => ed25519Signer(ORIGIN, generateKeyPairSync("ed25519").privateKey);
const [first, second, forger] = [signer(), signer(), signer()];

/** A log of these events, one after another. */
function logOf(...said: readonly (readonly [EventType, JsonObject])[]): LogEvent[] {
  return said.map(([type, body], index) => eventAt(index, type, body));
}

function eventAt(index: number, type: EventType, body: JsonObject): LogEvent {
  const about = [PROJECT_CHAIN];
  const salt = Buffer.alloc(32, index);
  const previous = [index === 0 ? null : index - 1];
  const fields = { type, time: index, project: INSTALLATION, previous };
  const leaf = encodeLeaf({ ...fields, bodyHash: bodyHash(salt, encodeBody({ about, body })) });
  return { index, ...fields, about, body, salt, leaf };
}

/** What a key says when it goes. */
function farewell(log: readonly LogEvent[], retiring: NoteSigner, ...staying: readonly NoteSigner[]): string {
  return signFarewell(sign(log, retiring), staying.map(keyLabel), retiring);
}

function sign(log: readonly LogEvent[], ...signers: readonly NoteSigner[]): string {
  const root = naiveTree(log.map(({ leaf }) => leaf)).root(log.length);
  return signTree({ size: log.length, root }, logSigners(ORIGIN, signers));
}

/** The answer about a log; `told` are the events that it tells of, whether or not they stand in the log. */
function answerOf(
  log: readonly LogEvent[],
  signers: readonly NoteSigner[],
  told: readonly LogEvent[] = log,
): JsonValue {
  const tree = naiveTree(log.map(({ leaf }) => leaf));
  return {
    checkpoint: sign(log, ...signers),
    events: told
      .filter(({ type }) => type !== "authority.activated")
      .map(({ index, about, salt, leaf, body }) => ({
        index,
        about: [...about],
        salt: encodeBase64(salt),
        leaf: encodeBase64(leaf),
        body,
        inclusionProof: tree.path(index, log.length).map(encodeBase64),
        ...(body.checkpoint !== undefined && {
          consistencyProof: tree.proof(sizeInFarewell(String(body.checkpoint)), log.length).map(encodeBase64),
        }),
      })),
  };
}

const created = ["log.created", { origin: ORIGIN, verifierKey: first.verifierKey }] as const;
const other = ["authority.activated", {}] as const;
const added = ({ verifierKey }: NoteSigner) => ["log-key.added", { verifierKey }] as const;
const retired = ({ verifierKey }: NoteSigner, checkpoint: string) =>
  ["log-key.retired", { verifierKey, checkpoint }] as const;

const plain = logOf(created, other, other);
const active = (answer: JsonValue, trusted = first) =>
  verifyLogKeys(answer, trusted.verifierKey)
    .keys.filter((key) => key.retired === undefined)
    .map(({ verifierKey }) => verifierKey);

test("a key that another vouches for is believed, and one that stands beside it", () => {
  assert.deepEqual(active(answerOf(plain, [first])), [first.verifierKey]);
  const overlapping = logOf(created, other, added(second));
  for (const trusted of [first, second]) {
    const answer = answerOf(overlapping, [first, second]);
    assert.deepEqual(active(answer, trusted), [first.verifierKey, second.verifierKey]);
  }
  const checkpoint = farewell(overlapping, first, second);
  const rotated = logOf(created, other, added(second), retired(first, checkpoint), other);
  for (const trusted of [first, second])
    assert.deepEqual(active(answerOf(rotated, [second]), trusted), [second.verifierKey]);

  const silent = ["log-key.retired", { verifierKey: first.verifierKey }] as const;
  const alone = answerOf(logOf(created, other, added(second), silent), [second]);
  assert.deepEqual(active(alone, second), [second.verifierKey]);
  assert.throws(() => active(alone, first), { code: "proof-invalid" }, "it named nobody");
});

test("whoever has none of the log's keys leads nobody to his own", () => {
  const checkpoint = farewell(plain, first, forger);
  const attempts: Readonly<Record<string, JsonValue>> = {
    "the old key signed another log than the one in which it is replaced": answerOf(
      logOf(created, added(forger), other, retired(first, checkpoint)),
      [forger],
    ),
    "the key was added after what the old one signed": answerOf(
      logOf(created, other, other, added(forger), retired(first, checkpoint)),
      [forger],
    ),
    "the key is told to stand in what the old one signed, and does not": answerOf(
      logOf(created, other, other, other, retired(first, checkpoint)),
      [forger],
      [eventAt(0, ...created), eventAt(1, ...added(forger)), eventAt(4, ...retired(first, checkpoint))],
    ),
    "the old key did not sign what it is said to have": answerOf(
      logOf(created, added(forger), retired(first, farewell(logOf(created, added(forger)), forger, forger))),
      [forger],
    ),
    "the log begins with another key": answerOf(
      logOf(["log.created", { origin: ORIGIN, verifierKey: forger.verifierKey }]),
      [forger],
    ),
    "the key signs beside the old one and is in no event": answerOf(plain, [first, forger]),
    "the key is in an event that is not in the log": answerOf(
      plain,
      [first],
      [eventAt(0, ...created), eventAt(1, ...added(second)), eventAt(2, ...retired(second, checkpoint))],
    ),
  };
  for (const [name, answer] of Object.entries(attempts)) {
    assert.throws(
      () => active(answer),
      ({ code }) => ["proof-invalid", "malformed-checkpoint"].includes(code),
      name,
    );
  }
});

test("whoever has a key that was retired leads nobody back to it who trusts another", () => {
  const grown = [created, other, added(second)] as const;
  const overlapping = logOf(...grown);
  const rotated = logOf(...grown, retired(first, farewell(overlapping, first, second)), other);
  const theirs = { "while both signed": overlapping, "after the retirement": rotated };
  for (const [when, log] of Object.entries(theirs)) {
    // All that the second key ever signed is there to take, and the first key signs on.
    const events = log.map(({ type, body }) => [type, body] as const);
    const forked = logOf(...events, retired(second, sign(log, second)), other);
    const told = forked.filter(
      ({ type, body }) => !(type === "log-key.retired" && body.verifierKey === first.verifierKey),
    );
    assert.throws(() => active(answerOf(forked, [first], told), second), { code: "proof-invalid" }, when);
  }
});
