import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventType, LogEvent, ProjectId } from "../../src/custody/events.ts";
import type { JsonObject } from "../../src/in-toto-attestation/index.ts";
import { watchedIn } from "../../src/monitor/watch.ts";
import { compileGlob } from "../../src/policy/glob.ts";

const wide = (type: EventType, body: JsonObject): LogEvent => ({
  index: 7,
  type,
  time: 0,
  project: "p" as ProjectId,
  about: ["*"],
  previous: [null],
  salt: new Uint8Array(32),
  body,
  leaf: new Uint8Array(),
});
const watch = {
  digests: new Set<string>(),
  signers: ["release", "https://ci.example/*"].map(compileGlob),
  identities: ["spiffe://example.org/*"].map(compileGlob),
};

test("who watches a signer or an identity is called for what revokes it or puts it into quarantine", () => {
  const called: readonly [EventType, JsonObject, string[]][] = [
    ["quarantine.opened", { signer: { key: "release" } }, ["release"]],
    [
      "evidence.revoked",
      { signer: { issuer: "i", identity: "https://ci.example/a" } },
      ["https://ci.example/a"],
    ],
    ["quarantine.opened", { spiffeId: "spiffe://example.org/w" }, ["spiffe://example.org/w"]],
    ["quarantine.opened", { spiffeId: "spiffe://example.com/w" }, []],
    ["quarantine.opened", { builder: "release" }, []],
  ];
  for (const [type, target, names] of called) {
    const messages = watchedIn(wide(type, { id: "q", target }), watch).map(({ message }) => message);
    assert.deepEqual(
      messages.map((message) => names.some((name) => message.includes(name))),
      names.map(() => true),
    );
  }
});
