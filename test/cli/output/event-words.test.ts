import assert from "node:assert/strict";
import { test } from "node:test";
import { aboutWhat, eventLine, requireEventTypes } from "../../../src/cli/output/event-words.ts";

test("an event is told in a line with what it is about, unless that is the project", () => {
  const event = {
    index: 22,
    time: "2026-03-01T12:00:00.000Z",
    type: "quarantine.opened",
    body: { reason: "CVE-1" },
  };
  assert.equal(
    eventLine(event) + aboutWhat({ about: ["*", "sha256:ab"] }),
    "#22 2026-03-01 12:00:00Z quarantine.opened CVE-1 (of sha256:ab)",
  );
  assert.equal(aboutWhat({ about: ["*"] }), "");
});

test("a type that no event is of is told the nearest one, or all that there are", () => {
  requireEventTypes(["quarantine.opened", "project.suspended"]);
  assert.throws(() => requireEventTypes(["quarantine.open"]), /did you mean `quarantine\.opened`\?$/);
  assert.throws(() => requireEventTypes(["everything"]), /known here: log\.created, .*project\.resumed$/);
});
