import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PROJECT_CHAIN } from "../../../src/custody/events.ts";
import { openMaterial } from "../../../src/custody/pack/packed-material.ts";
import type { PackCheckName } from "../../../src/custody/pack/report.ts";
import { evaluateAgain } from "../../../src/custody/replay/evaluate-again.ts";
import { standingAtFirst } from "../../../src/custody/replay/standing.ts";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { type Digest, type JsonObject, sha256 } from "../../../src/in-toto-attestation/index.ts";
import { decisionRecorded } from "../../support/pushes.ts";
import { buildPack } from "../build-pack.ts";
import { ARTIFACT, byBuilder, firstPolicies, firstTrust, OTHER } from "../evidence.ts";
import { logSigner, type SmallLog, smallLog } from "../small-log.ts";

/*
 * What custody files show of revocations, told by logs that lie: signed and proved, but nothing in them heeds what was
 * revoked, unless the story says so.
 */

const EVIDENCE = byBuilder("run");

function revoke(log: SmallLog, target: JsonObject, { id = "r", about = [PROJECT_CHAIN] } = {}): void {
  const body = { id, target, reason: "leaked", caller: "token" };
  log.append({ type: "evidence.revoked", about, body });
}

function withdraw(log: SmallLog, id = "r"): void {
  const body = { id, reason: "another key", caller: "token" };
  log.append({ type: "revocation.withdrawn", about: [PROJECT_CHAIN], body });
}

/** That the artifact was allowed, as an issuer had it recorded. */
function allow(log: SmallLog): void {
  log.append(decisionRecorded(ARTIFACT));
}

/** The checks that fail of a log in which the artifact passed before the rest was told. */
function lie(tell: (log: SmallLog) => void): Set<PackCheckName> {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  log.push(EVIDENCE);
  allow(log);
  tell(log);
  const { checks } = verifyPack(buildPack(log.packInput()), logSigner.verifierKey);
  return new Set(checks.filter(({ status }) => status === "fails").map(({ check }) => check));
}

describe("a custody file of evidence that was revoked", () => {
  test("holds where what was allowed before stands before it, and what is revoked is of others", () => {
    const told = lie((log) => {
      revoke(log, { attestation: sha256(EVIDENCE) });
      withdraw(log);
      allow(log);
      revoke(log, { signer: { key: "another" } }, { id: "s" });
      revoke(log, { repository: "https://github.com/acme/app" }, { id: "t" });
      revoke(log, { artifact: OTHER }, { id: "u" });
      allow(log);
    });
    assert.deepEqual(told, new Set());
  });

  const targets: readonly JsonObject[] = [
    { attestation: sha256(EVIDENCE) },
    { artifact: ARTIFACT },
    { signer: { key: "builder" } },
    { builder: "https://builder.example/ci" },
    // The key's signatures come without a trusted time: they are in every window.
    { signer: { key: "builder" }, from: "2100-01-01T00:00:00.000Z" },
    { builder: "https://builder.example/ci", until: "1970-01-01T00:00:00.001Z" },
  ];
  for (const target of targets) {
    test(`shows what was allowed or passed in spite of it: ${JSON.stringify(target)}`, () => {
      assert.deepEqual(
        lie((log) => {
          revoke(log, target);
          allow(log);
        }),
        new Set(["decision"]),
        "a pass that came out before is not taken at its word",
      );
      assert.ok(
        lie((log) => {
          revoke(log, target);
          log.push(byBuilder("another run"));
        }).has("verdict") || "attestation" in target,
      );
    });
  }

  const malformed: Record<string, (log: SmallLog) => void> = {
    "a target that is none": (log) => revoke(log, { artifact: ARTIFACT, builder: "b" }),
    "no wide event": (log) => revoke(log, { artifact: ARTIFACT }, { about: [ARTIFACT] }),
    "an id that stands already": (log) => {
      revoke(log, { builder: "b" });
      revoke(log, { builder: "c" });
    },
    "a withdrawal of what does not stand": (log) => withdraw(log),
    "a withdrawal a second time": (log) => {
      revoke(log, { builder: "b" });
      withdraw(log);
      withdraw(log);
    },
  };
  for (const [what, tell] of Object.entries(malformed))
    test(`does not hold with ${what}`, () => assert.ok(lie(tell).has("revocation")));
});

test("an artifact that is revoked lies in nothing, and what a container's evidence was revoked of passes no longer", () => {
  const bytes = byBuilder("run", [OTHER]);
  const id = sha256(bytes);
  const trust = firstTrust.hash as Digest;
  const material = openMaterial();
  material.add({ case: "trust", hash: trust, bytes: firstTrust.bytes });
  material.add({ case: "evidence", hash: id, mediaType: "application/vnd.dsse.envelope.v1+json", bytes });
  const policy = firstPolicies.policies.get("release");
  assert.ok(policy);
  const outcome = (...targets: { artifact: Digest }[]) => {
    const standing = {
      ...standingAtFirst(ARTIFACT, [OTHER], material),
      inForce: { policySet: null, policyDocument: null, trust, isSuspended: false },
      accepted: new Map([[OTHER, [{ id, verifiedAt: 0 }]]]),
      manifests: [{ container: OTHER, contained: ARTIFACT, isBlob: false }],
      revocations: new Map(targets.map((target) => ["r", { id: "r", target, reason: "leaked" }])),
    };
    return evaluateAgain(standing, policy, 0, [OTHER]).outcome;
  };
  assert.equal(outcome(), "passed");
  assert.equal(outcome({ artifact: ARTIFACT }), "failed");
  assert.equal(outcome({ artifact: OTHER }), "failed");
});
