import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadPolicySet } from "../../src/policy/load.ts";
import { keepingOf, keepOf, type RetentionSpec, shortestKeep, type Use } from "../../src/policy/retention.ts";
import type { Diagnostic } from "../../src/yaml/diagnostics.ts";
import fc from "../support/fc.ts";

const DAY = 86_400_000;

const written = (spec: string) => `apiVersion: vouchsafe.dev/v1
kind: RetentionPolicy
metadata: { name: house }
spec:
${spec}`;
const HOUSE = written(
  "  default: standard\n  classes: { standard: { keep: 400d }, court: { keep: forever } }\n",
);

function mistakesOf(...texts: readonly string[]): string[] {
  try {
    loadPolicySet(texts.map((text, i) => ({ name: `${i}.yaml`, text })));
  } catch (error) {
    const { diagnostics } = (error as { extensions: { diagnostics: Diagnostic[] } }).extensions;
    return diagnostics.map(({ file, line, message }) => `${file}:${line} ${message}`);
  }
  return [];
}

describe("loading a RetentionPolicy", () => {
  test("gives its classes in milliseconds, and makes the set another one", () => {
    const set = loadPolicySet([{ name: "r.yaml", text: HOUSE }]);
    const { spec } = set.retention ?? {};
    assert.equal(spec?.default, "standard");
    assert.deepEqual(
      [...(spec?.classes ?? [])],
      [
        ["standard", 400 * DAY],
        ["court", Number.POSITIVE_INFINITY],
      ],
    );
    assert.equal(spec && shortestKeep(spec), 400 * DAY);
    assert.equal(loadPolicySet([]).retention, undefined);
    assert.notEqual(set.hash, loadPolicySet([]).hash);
  });

  const refusals: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["a second one in the set", [HOUSE, HOUSE.replace("house", "other")], /^1.yaml:1 there is one/],
    [
      "a default that is no class",
      [written("  default: long\n  classes: { short: { keep: 1d } }\n")],
      /`long`/,
    ],
    ["less than a day", [written("  classes: { short: { keep: 400s } }\n")], /at least 1d/],
    ["a class without a time", [written("  classes: { short: {} }\n")], /keep/],
    ["no class", [written("  classes: {}\n")], /1 to 64 classes/],
    [
      "a class with another name than a policy could have",
      [written("  classes: { Court: { keep: 1d } }\n")],
      /name/,
    ],
    ["an unknown member", [written("  classes: { short: { keep: 1d, archive: true } }\n")], /archive/],
  ];
  for (const [what, texts, message] of refusals) {
    test(`refuses ${what}`, () => {
      const mistakes = mistakesOf(...texts);
      assert.equal(
        mistakes.length > 0 && mistakes.every((mistake) => message.test(mistake)),
        true,
        `${mistakes}`,
      );
    });
  }
});

const CLASSES: RetentionSpec["classes"] = new Map([
  ["day", DAY],
  ["month", 30 * DAY],
  ["court", Number.POSITIVE_INFINITY],
]);
/** Seldom, so that a hundred cases hold some that are due. */
const seldom = fc.nat({ max: 9 }).map((n) => n === 0);
const use: fc.Arbitrary<Use> = fc
  .record({
    assigned: fc.option(fc.constantFrom("day", "month", "court", "renamed"), { nil: undefined }),
    since: fc.integer({ min: 0, max: 60 * DAY }),
    isHeld: seldom,
    isLive: seldom,
  })
  .map(({ assigned, ...rest }) => ({ ...rest, ...(assigned !== undefined && { assigned }) }));
const spec: fc.Arbitrary<RetentionSpec> = fc
  .constantFrom("day", "month", "court", undefined)
  .map((name) => ({ classes: CLASSES, ...(name !== undefined && { default: name }) }));
const now = fc.integer({ min: 0, max: 120 * DAY });

describe("what keeps evidence", () => {
  test("lets it go exactly when each artifact on whose account it is kept does", () => {
    let due = 0;
    fc.assert(
      fc.property(spec, fc.array(use, { maxLength: 4 }), now, (spec, uses, now) => {
        const keeping = keepingOf(spec, uses, now);
        const letsGo = (one: Use) =>
          !one.isHeld && !one.isLive && one.since + keepOf(spec, one.assigned) <= now;
        assert.equal(keeping.case === "due", uses.length > 0 && uses.every(letsGo));
        if (keeping.case !== "due") return;
        due += 1;
        assert.equal(
          keeping.until,
          Math.max(...uses.map(({ since, assigned }) => since + keepOf(spec, assigned))),
        );
        assert.ok(CLASSES.has(keeping.class));
      }),
    );
    assert.ok(due > 0, "some are due");
  });

  test("never lets go because there is more to keep it for, or less time has passed", () => {
    fc.assert(
      fc.property(
        spec,
        fc.array(use, { minLength: 1, maxLength: 4 }),
        use,
        now,
        now,
        (spec, uses, more, a, b) => {
          const [earlier, later] = [Math.min(a, b), Math.max(a, b)];
          const isDue = (some: readonly Use[], at: number) => keepingOf(spec, some, at).case === "due";
          assert.ok(!isDue([...uses, more], later) || isDue(uses, later));
          assert.ok(!isDue(uses, earlier) || isDue(uses, later));
        },
      ),
    );
  });

  test("is for ever without a policy, a default, or the class that was assigned", () => {
    const old: Use = { since: 0, isHeld: false, isLive: false };
    const ages = 10_000 * DAY;
    for (const [spec, assigned] of [
      [undefined, undefined],
      [undefined, "day"],
      [{ classes: CLASSES }, undefined],
      [{ classes: CLASSES, default: "day" }, "renamed"],
      [{ classes: CLASSES, default: "day" }, "court"],
    ] as const) {
      const keeping = keepingOf(spec, [{ ...old, ...(assigned && { assigned }) }], ages);
      assert.deepEqual(keeping, { case: "kept", until: Number.POSITIVE_INFINITY });
    }
    assert.equal(keepingOf({ classes: CLASSES, default: "day" }, [old], ages).case, "due");
  });
});
