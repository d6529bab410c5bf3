import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EventDraft } from "../../../src/custody/events.ts";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { type JsonObject, sha256 } from "../../../src/in-toto-attestation/index.ts";
import { buildPack } from "../build-pack.ts";
import { ARTIFACT, byBuilder, firstPolicies, firstTrust, OTHER } from "../evidence.ts";
import { DAY, logSigner, type SmallLog, smallLog } from "../small-log.ts";

const evidence = byBuilder("run 1");
const id = sha256(evidence);
const HOLD = "0b51c2d4-0000-4a89-9c0d-1e2f3a4b5c6d";

const event = (type: EventDraft["type"], body: JsonObject, artifact = ARTIFACT): EventDraft => ({
  type,
  about: [artifact],
  body: { artifact, reason: "Doe v. Acme", caller: "token", ...body },
});
const placed = event("hold.placed", { id: HOLD });
const released = event("hold.released", { id: HOLD });
const assigned = (name: string) => event("retention.assigned", { class: name });
const at = (time: number) => new Date(time).toISOString();

/** What fails of a log in which evidence was pushed and then this happened. */
function failing(story: (log: SmallLog) => void): (readonly [string, string])[] {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  log.push(evidence);
  story(log);
  const { checks } = verifyPack(buildPack(log.packInput()), logSigner.verifierKey);
  return checks.flatMap(({ check, status, statement }) =>
    status === "fails" ? [[check, statement.replace(/^.*does not hold: /, "")] as const] : [],
  );
}

describe("a custody file's retention", () => {
  const holding: readonly (readonly [string, (log: SmallLog) => void])[] = [
    ["an expiry when its class has run out", (log) => log.expire(id)],
    ["a hold that stands", (log) => log.append(placed)],
    [
      "an expiry after the hold was released",
      (log) => {
        log.append(placed);
        log.append(released);
        log.expire(id);
      },
    ],
    [
      "a hold after the expiry",
      (log) => {
        log.expire(id);
        log.append(placed);
      },
    ],
    ["a class that there is", (log) => log.append(assigned("week"))],
  ];
  for (const [what, story] of holding) test(`holds with ${what}`, () => assert.deepEqual(failing(story), []));

  const refused: readonly (readonly [string, RegExp, (log: SmallLog) => void])[] = [
    [
      "an expiry under a hold",
      /^expiry the hold .* covered it/,
      (log) => {
        log.append(placed);
        log.expire(id);
      },
    ],
    [
      "an expiry before the end of the class that was assigned",
      /^expiry what is about .* was to be kept for longer/,
      (log) => {
        log.append(assigned("week"));
        log.expire(id);
      },
    ],
    [
      "an expiry at a time that has not come",
      /^expiry it was to be kept for longer/,
      (log) => log.expire(id, { keptUntil: at((log.events.at(-1)?.time ?? 0) + 3 * DAY) }),
    ],
    [
      "an expiry of what was accepted at another time",
      /^expiry it was accepted at another time/,
      (log) => log.expire(id, { acceptedAt: at(0) }),
    ],
    [
      "an expiry of a class that there is not",
      /^expiry no policy in force/,
      (log) => log.expire(id, { class: "year" }),
    ],
    [
      "a second expiry",
      /^expiry no evidence of that id counted/,
      (log) => {
        log.expire(id);
        log.append({ type: "evidence.expired", about: [ARTIFACT], body: log.events.at(-1)?.body ?? {} });
      },
    ],
    ["a class that there is not", /^retention no policy in force/, (log) => log.append(assigned("year"))],
    ["a release of no hold", /^retention no such hold/, (log) => log.append(released)],
    [
      "a hold on another artifact",
      /^retention it is about another artifact/,
      (log) => log.append({ ...placed, body: { ...placed.body, artifact: OTHER } }),
    ],
  ];
  for (const [what, reason, story] of refused) {
    test(`does not hold with ${what}`, () => {
      const failures = failing(story);
      assert.equal(failures.length, 1, JSON.stringify(failures));
      assert.match(failures[0]?.join(" ") ?? "", reason);
    });
  }
});
