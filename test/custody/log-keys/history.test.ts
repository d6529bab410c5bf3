import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { EventType } from "../../../src/custody/events.ts";
import { activeKeys, type KeyEvent, logKeysOf } from "../../../src/custody/log-keys/history.ts";
import { ed25519Signer } from "../../../src/tlog/note.ts";

const verifierKey = (name = "log.example/vouchsafe") =>
  ed25519Signer(name, generateKeyPairSync("ed25519").privateKey).verifierKey;
const [first, second, third] = [verifierKey(), verifierKey(), verifierKey()];

/** Events at these indexes, with authorities between them, which say nothing of keys. */
function events(...said: readonly (readonly [EventType, string])[]): KeyEvent[] {
  return said.flatMap(([type, key], i) => [
    { index: 2 * i, type, body: { verifierKey: key } },
    { index: 2 * i + 1, type: "authority.activated", body: {} },
  ]);
}

const created = ["log.created", first] as const;
const added = (key: string) => ["log-key.added", key] as const;
const retired = (key: string) => ["log-key.retired", key] as const;

test("keys are active from the event that adds them to the one that retires them, oldest first", () => {
  const cases: readonly (readonly [KeyEvent[], readonly string[]])[] = [
    [[], []],
    [events(created), [first]],
    [events(created, added(second)), [first, second]],
    [events(created, added(second), retired(first)), [second]],
    [events(created, added(second), retired(first), added(third)), [second, third]],
    [events(created, added(second), added(third), retired(second)), [first, third]],
  ];
  for (const [given, active] of cases) {
    assert.deepEqual(
      activeKeys(logKeysOf(given)).map((key) => key.verifierKey),
      active,
    );
  }
});

test("events that no node would have written are no history of keys", () => {
  for (const [name, given] of Object.entries({
    "a retired key comes back": events(created, added(second), retired(first), added(first)),
    "a key is added twice": events(created, added(second), added(second)),
    "a key is retired twice": events(created, added(second), added(third), retired(first), retired(first)),
    "the last key is retired": events(created, retired(first)),
    "a stranger's key is retired": events(created, retired(second)),
    "a key of another log is added": events(created, added(verifierKey("log.example/other"))),
    "it does not begin with the log": events(added(first)),
    "the log is created twice": events(created, ["log.created", second]),
    "the log is created later": events(created).map((event) => ({ ...event, index: event.index + 1 })),
    "a key is none": events(created, added("a key")),
    "there is no key": [{ index: 0, type: "log.created" as const, body: {} }],
  }))
    assert.throws(() => logKeysOf(given), { code: "log-inconsistent" }, name);
});
