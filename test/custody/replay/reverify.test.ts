import assert from "node:assert/strict";
import { test } from "node:test";
import { INSTALLATION } from "../../../src/custody/events.ts";
import { decodeLeaf, encodeLeaf } from "../../../src/custody/leaf.ts";
import type { PackCheck, PackCheckName } from "../../../src/custody/pack/report.ts";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import type { JsonObject } from "../../../src/in-toto-attestation/index.ts";
import { buildPack } from "../build-pack.ts";
import {
  ARTIFACT,
  byBuilder,
  firstPolicies,
  firstTrust,
  OTHER,
  otherTrust,
  scanBySecond,
  scannedPolicies,
  widerTrust,
} from "../evidence.ts";
import { logSigner, smallLog } from "../small-log.ts";

/*
 * A log that lies: everything is signed and proved, but the story cannot have happened. These are what the
 * replay is for.
 */

function lie(tell: (log: ReturnType<typeof smallLog>) => void): Set<PackCheckName> {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  tell(log);
  const { checks } = verifyPack(buildPack(log.packInput()), logSigner.verifierKey);
  return failedOf(checks);
}

function failedOf(checks: readonly PackCheck[]): Set<PackCheckName> {
  return new Set(checks.filter(({ status }) => status === "fails").map(({ check }) => check));
}

/** The last event once more with another body. */
function alter(log: ReturnType<typeof smallLog>, type: string, change: JsonObject): void {
  const event = log.events.findLast((e) => e.type === type);
  assert.ok(event);
  log.append({ type: event.type, about: event.about, body: { ...event.body, ...change } });
}

test("a log that tells no lies passes the same way", () => {
  assert.deepEqual(
    lie((log) => log.push(byBuilder("run"))),
    new Set(),
  );
});

test("a verdict that the evidence does not bear out is found, though the log signed it", () => {
  const change: Record<string, JsonObject> = {
    "another level": { slsaLevel: 4 },
    "no attestations": { attestations: [] },
    "an end that the policy does not set": { validUntil: "2030-01-01T00:00:00.000Z" },
    "another policy hash": { policyHash: firstPolicies.hash },
    "an unknown policy": { policy: "other" },
    "a policy set that was not in force": { policySet: `sha256:${"00".repeat(32)}` },
    "trust that is no longer in force": { trust: widerTrust.hash },
    "evidence left out": { artifacts: [{ digest: ARTIFACT, evidenceSet: `sha256:${"00".repeat(32)}` }] },
    "another artifact": { artifacts: [] },
    "no policy": { policy: null },
  };
  for (const [name, body] of Object.entries(change)) {
    const checks = lie((log) => {
      log.push(byBuilder("run"));
      if ("trust" in body) {
        log.activateTrust(widerTrust);
        log.activateTrust(firstTrust);
      }
      alter(log, "verdict.passed", body);
    });
    assert.ok(checks.has("verdict"), name);
  }
});

test("a pass that is recorded where the evidence fails is found", () => {
  const checks = lie((log) => {
    log.push(byBuilder("run"));
    const verdict = log.events.findLast(({ type }) => type === "verdict.passed");
    assert.ok(verdict);
    log.append({ type: "verdict.failed", about: verdict.about, body: verdict.body });
  });
  assert.deepEqual(checks, new Set(["verdict"]));
});

test("a pass that had run out long before it was recorded is found", () => {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  log.push(byBuilder("run"));
  alter(log, "verdict.passed", { validUntil: "2023-12-01T00:00:00.000Z" });
  const { checks } = verifyPack(buildPack(log.packInput()), logSigner.verifierKey);
  const failed = checks.filter(({ status }) => status === "fails");
  assert.match(failed.map(({ statement }) => statement).join(), /it had run out long before/);
});

test("verdicts on several attestations come out again, and only as they were", () => {
  const scanned = (tell: (log: ReturnType<typeof smallLog>) => void) =>
    lie((log) => {
      log.activateTrust(widerTrust);
      log.activatePolicies(scannedPolicies);
      tell(log);
    });
  const verdicts: [outcome: string, restsOn: number][] = [];
  const truth = scanned((log) => {
    for (const evidence of [byBuilder("run 1"), scanBySecond("run 0"), scanBySecond("run 1")]) {
      const { type, body } = log.push(evidence);
      verdicts.push([type, (body.attestations as string[]).length]);
    }
  });
  assert.deepEqual(truth, new Set());
  assert.deepEqual(verdicts, [
    ["verdict.failed", 0],
    ["verdict.failed", 0],
    ["verdict.passed", 2],
  ]);

  const withoutScan = scanned((log) => {
    const { about, body } = log.push(byBuilder("run 1"));
    const attestations = [log.events.at(-2)?.body.attestation ?? null];
    log.append({ type: "verdict.passed", about, body: { ...body, attestations, slsaLevel: 2 } });
  });
  assert.deepEqual(withoutScan, new Set(["verdict"]));

  const restingOnLess = scanned((log) => {
    log.push(byBuilder("run 1"));
    const { body } = log.push(scanBySecond("run 1"));
    alter(log, "verdict.passed", { attestations: (body.attestations as string[]).slice(0, 1) });
  });
  assert.deepEqual(restingOnLess, new Set(["verdict"]));
});

test("an attestation that is recorded as something else than it is, is found", () => {
  const change: Record<string, JsonObject> = {
    signer: { signer: { case: "key", name: "someone", keyId: "else" } },
    predicateType: { predicateType: "https://example.com/other" },
    subjects: { subjects: [] },
    size: { size: 1 },
    source: { source: { repository: "https://example.com/other" } },
    builder: { builder: "https://builder.example/other" },
    times: { times: ["2024-01-01T00:00:00.000Z"] },
    verifiedAt: { verifiedAt: "yesterday" },
    "verified when its key was still good": { verifiedAt: "2023-12-01T00:00:00.000Z" },
    "verified when it will be good": { verifiedAt: "2024-02-01T00:00:00.000Z" },
  };
  for (const [name, body] of Object.entries(change)) {
    const checks = lie((log) => {
      log.push(byBuilder("run"));
      alter(log, "evidence.accepted", body);
    });
    assert.ok(checks.has("evidence"), name);
  }
});

test("evidence that is about another artifact does not belong to this one", () => {
  const checks = lie((log) => {
    log.push(byBuilder("run", [OTHER]));
    const accepted = log.events.findLast(({ type }) => type === "evidence.accepted");
    assert.ok(accepted);
    log.append({ type: accepted.type, about: [ARTIFACT], body: accepted.body });
  });
  assert.ok(checks.has("evidence"));
});

test("evidence accepted under trust that was not in force is found", () => {
  const checks = lie((log) => {
    log.push(byBuilder("run"));
    log.activateTrust(otherTrust);
    alter(log, "evidence.accepted", {});
  });
  assert.ok(checks.has("evidence"));
});

test("a change of policy or trust that names another predecessor is found", () => {
  for (const type of ["policy.activated", "trust.activated"]) {
    const checks = lie((log) => {
      log.push(byBuilder("run"));
      alter(log, type, { previous: `sha256:${"00".repeat(32)}` });
    });
    assert.deepEqual(checks, new Set(["activation"]), type);
  }
});

test("policies that were put in force for one artifact alone are found", () => {
  const checks = lie((log) => {
    log.push(byBuilder("run"));
    const { body } = log.events.findLast(({ type }) => type === "policy.activated") ?? assert.fail();
    const again = { ...body, previous: firstPolicies.hash };
    log.append({ type: "policy.activated", about: [ARTIFACT], body: again });
  });
  assert.deepEqual(checks, new Set(["activation"]));
});

test("an event of another project does not pass for one of this", () => {
  const foreign = lie(({ append }) => {
    const body = { id: "q", artifact: ARTIFACT, reason: "leak", caller: "token" };
    append({ type: "quarantine.opened", about: [ARTIFACT], body }, INSTALLATION);
  });
  assert.deepEqual(foreign, new Set(["order"]));
});

test("a policy set that is not what its document holds is found", () => {
  const policySet = `sha256:${"00".repeat(32)}`;
  const checks = lie((log) => {
    log.push(byBuilder("run"));
    alter(log, "policy.activated", { policySet, previous: firstPolicies.hash });
    alter(log, "verdict.passed", { policySet });
  });
  assert.deepEqual(checks, new Set(["verdict"]));
});

test("a leaf with a link that its body does not name is found", () => {
  const checks = lie((log) => {
    const event = log.push(byBuilder("run"));
    const leaf = encodeLeaf({ ...decodeLeaf(event.leaf), previous: [...event.previous, null] });
    log.events[event.index] = { ...event, leaf };
  });
  assert.ok(checks.has("body"));
});

test("a trust document that says the same in other bytes is not the one that the log names", () => {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  log.push(byBuilder("run"));
  const { documents, ...rest } = log.packInput();
  const spaced = documents.map((document) =>
    document.kind === "trust"
      ? { ...document, bytes: Buffer.from(`${Buffer.from(document.bytes)} `) }
      : document,
  );
  const { checks } = verifyPack(buildPack({ ...rest, documents: spaced }), logSigner.verifierKey);
  assert.deepEqual(failedOf(checks), new Set(["contents", "evidence", "verdict"]));
});

test("a quarantine that another one of its id, or its lifting in another chain, would hide is found", () => {
  const body = { id: "q", artifact: ARTIFACT, reason: "leak", caller: "token" };
  const twice = lie((log) => {
    log.append({ type: "quarantine.opened", about: [ARTIFACT], body });
    log.append({ type: "quarantine.opened", about: [ARTIFACT], body });
  });
  assert.deepEqual(twice, new Set(["quarantine"]));
  const elsewhere = lie((log) => {
    log.append({ type: "quarantine.opened", about: [ARTIFACT], body });
    log.append({ type: "quarantine.lifted", about: ["*"], body });
  });
  assert.deepEqual(elsewhere, new Set(["quarantine"]));
});
