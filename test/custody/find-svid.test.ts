import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEvent } from "../../src/custody/events.ts";
import { createSvidSearch, type SoughtSvid } from "../../src/custody/find-svid.ts";
import type { JsonObject } from "../../src/in-toto-attestation/types.ts";

const BODY = {
  workload: "app",
  requester: "issuer:broker",
  spiffeId: "spiffe://example.org/app",
  kind: "x509",
  serial: "4a",
  keyHash: "sha256:00",
  digests: ["sha256:aa"],
  policies: ["release"],
  verdicts: [3],
  expiresAt: "2026-03-01T12:00:00.000Z",
};
const SVID: SoughtSvid = {
  kind: "x509",
  spiffeId: BODY.spiffeId,
  serial: BODY.serial,
  keyHash: BODY.keyHash,
  expiresAt: Date.parse(BODY.expiresAt),
  grounds: { digests: BODY.digests, policies: BODY.policies, verdicts: BODY.verdicts, index: 4 },
};

function event(index: number, type: LogEvent["type"], body: JsonObject): LogEvent {
  return { index, type, body } as unknown as LogEvent;
}

function find(svid: SoughtSvid, ...events: LogEvent[]) {
  const search = createSvidSearch(svid);
  for (const one of events) search.add(one);
  return search.found();
}

test("finds the event by the index that the SVID says, or by its serial number, and its verdicts", () => {
  const events = [event(3, "verdict.passed", { policy: "release" }), event(4, "identity.issued", BODY)];
  const found = {
    event: { index: 4, workload: "app", requester: "issuer:broker" },
    differences: [],
    revoked: null,
  };
  assert.deepEqual(find(SVID, ...events), {
    ...found,
    verdicts: [{ index: 3, policy: "release", passed: true }],
  });
  const { index: _, ...grounds } = SVID.grounds ?? { digests: [], policies: [], verdicts: [] };
  assert.deepEqual(find({ ...SVID, grounds }, ...events).differences, []);
  assert.equal(find({ ...SVID, grounds, serial: "4b" }, ...events).event, null);
});

test("names all that differs", () => {
  const differences = (changed: Partial<SoughtSvid>) =>
    find({ ...SVID, ...changed }, event(4, "identity.renewed", BODY)).differences;
  assert.deepEqual(differences({ keyHash: "sha256:01" }), ["another key"]);
  assert.deepEqual(differences({ spiffeId: "spiffe://example.org/admin" }), ["another SPIFFE ID"]);
  assert.deepEqual(differences({ serial: "4b", expiresAt: 0 }), ["another serial number", "another end"]);
  assert.deepEqual(differences({ kind: "jwt" }), ["another kind"]);
  const grounds = { digests: ["sha256:bb"], policies: [], verdicts: [9], index: 5 };
  assert.deepEqual(differences({ grounds }), [
    "another list of digests",
    "another list of policies",
    "another list of verdicts",
    "another log index",
  ]);
});

test("finds who revoked it, and nobody who revoked another", () => {
  const revoke = (serial: string) =>
    event(7, "identity.revoked", { identities: [{ kind: "x509", serial }], reasons: ["quarantined"] });
  assert.deepEqual(find(SVID, revoke("4a")).revoked, { index: 7, reasons: ["quarantined"] });
  assert.equal(find(SVID, revoke("4b")).revoked, null);
});
