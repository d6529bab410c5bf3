// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the sources under test are text
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkArrows, checkLengths } from "../../.ci/arrows.ts";
import { ARROWS, MAX_LINES } from "../../.ci/arrows-table.ts";

const DEPENDENCIES = ["kysely", "@sigstore/verify", "yaml"];

/** Where a small tree breaks the arrows, leaving out the dependencies that such a tree does not use. */
function breachesOf(files: Record<string, string>): string[] {
  const breaches = checkArrows(new Map(Object.entries(files)), DEPENDENCIES);
  const places = breaches.map(({ file, line }) => `${file}:${line}`);
  return [...new Set(places)].filter((place) => !place.startsWith("package.json"));
}

describe("what the arrows refuse", () => {
  const errors = { "src/errors.ts": "export {}" };
  const cases: [name: string, files: Record<string, string>, breach: string][] = [
    [
      "an import against the arrow",
      { "src/tlog/a.ts": `import { x } from "../db/b.ts";`, "src/db/b.ts": "" },
      "src/tlog/a.ts:1",
    ],
    [
      "a type import against the arrow",
      { "src/tlog/a.ts": `\nimport type { X } from "../db/b.ts";`, "src/db/b.ts": "" },
      "src/tlog/a.ts:2",
    ],
    [
      "a re-export against the arrow",
      { "src/tlog/a.ts": `export * from "../db/b.ts";`, "src/db/b.ts": "" },
      "src/tlog/a.ts:1",
    ],
    [
      "a dynamic import against the arrow",
      { "src/tlog/a.ts": `const b = await import("../db/b.ts");`, "src/db/b.ts": "" },
      "src/tlog/a.ts:1",
    ],
    [
      "an import within a template",
      { "src/tlog/a.ts": "const b = `${`${await import('../db/b.ts')}`}`;", "src/db/b.ts": "" },
      "src/tlog/a.ts:1",
    ],
    [
      "a file of a folder of which another file is allowed",
      { "src/policy/a.ts": `import "../verify/b.ts";`, "src/verify/b.ts": "" },
      "src/policy/a.ts:1",
    ],
    [
      "a room of a folder that another room may not import",
      { "src/services/log/a.ts": `import "../access/b.ts";`, "src/services/access/b.ts": "" },
      "src/services/log/a.ts:1",
    ],
    ["a room without a row", { "src/services/extras/a.ts": "" }, "src/services/extras/a.ts:1"],
    ["an import whose module is computed", { "src/cli/a.ts": "await import(name);" }, "src/cli/a.ts:1"],
    ["a folder without a row", { "src/extras/a.ts": "" }, "src/extras/a.ts:1"],
    ["an import of a file that is not there", { "src/cli/a.ts": `import "./b.ts";` }, "src/cli/a.ts:1"],
    [
      "an import from outside src/",
      { "src/cli/a.ts": `import "../../test/b.ts";`, "test/b.ts": "" },
      "src/cli/a.ts:1",
    ],
    [
      "a package in a folder not its own",
      { "src/http/a.ts": `import { sql } from "kysely";` },
      "src/http/a.ts:1",
    ],
    [
      "a package's subpath in such a folder",
      { "src/http/a.ts": `import "kysely/helpers/postgres";` },
      "src/http/a.ts:1",
    ],
    [
      "a scope in a folder not its own",
      { "src/services/a.ts": `import "@sigstore/verify";` },
      "src/services/a.ts:1",
    ],
    ["a package without a row", { "src/cli/a.ts": `import "left-pad";` }, "src/cli/a.ts:1"],
    ["a package that is not a dependency", { "src/db/a.ts": `import "pg";` }, "src/db/a.ts:1"],
    ["a required package", { "src/cli/a.ts": `require.resolve("kysely");` }, "src/cli/a.ts:1"],
    ["sealing outside verify/", { "src/services/a.ts": "sealVerified(facts)" }, "src/services/a.ts:1"],
    ["judging the unverified", { "src/services/a.ts": "evaluateStated(policy)" }, "src/services/a.ts:1"],
    ["text that cannot be read", { "src/cli/a.ts": "`never closed" }, "src/cli/a.ts:1"],
  ];
  for (const [name, files, breach] of cases) {
    test(name, () => assert.deepEqual(breachesOf({ ...errors, ...files }), [breach]));
  }

  test("folders that import each other in a circle, were the table to allow it", () => {
    const files = new Map([
      ["src/tlog/a.ts", `import "../custody/b.ts";`],
      ["src/custody/b.ts", `import "../tlog/a.ts";`],
    ]);
    const arrows = new Map([...ARROWS, ["tlog", ["custody"]]]);
    assert.equal(checkArrows(files, [], arrows).length, 1);
  });

  test("rooms that import each other in a circle, were the table to allow it", () => {
    const files = new Map([
      ["src/services/log/a.ts", `import "../access/b.ts";`],
      ["src/services/access/b.ts", `import "../log/a.ts";`],
    ]);
    const arrows = new Map([
      ["services", []],
      ["services/log", ["services/access"]],
      ["services/access", ["services/log"]],
    ]);
    assert.equal(checkArrows(files, [], arrows).length, 1);
  });

  test("a dependency that nothing imports", () => {
    const breaches = checkArrows(new Map([["src/db/a.ts", `import "kysely";`]]), ["kysely", "pg"]);
    assert.deepEqual(
      breaches.map(({ file, message }) => [file, message.split(" ")[0]]),
      [["package.json", "pg"]],
    );
  });

  test("a file that is too long", () => {
    const lines = (count: number) => "x\n".repeat(count);
    const { breaches, long } = checkLengths(
      new Map([
        ["a.ts", lines(MAX_LINES + 1)],
        ["b.ts", lines(MAX_LINES)],
        ["c.ts", lines(100)],
        ["src/workload/workload_pb.ts", lines(MAX_LINES + 1)],
      ]),
    );
    assert.deepEqual(
      breaches.map(({ file }) => file),
      ["a.ts"],
    );
    assert.equal(long.length, 1);
  });
});

describe("what pure code may not do", () => {
  const impure = [
    `import { readFileSync } from "node:fs";`,
    `import type { Socket } from "node:net";`,
    `import { setTimeout as later } from "node:timers/promises";`,
    `import { randomBytes } from "node:crypto";`,
    `import { createHash, randomUUID as id } from "node:crypto";`,
    `import * as crypto from "node:crypto";`,
    `import crypto from "node:crypto";`,
    "const now = Date.now();",
    "const now = new Date();",
    "const now = new Date;",
    "const now = Date();",
    "const now = `${Date.now()}`;",
    "const half = a / b; const now = Date.now(); // not a / regex",
    "const die = Math.random();",
    "if (process.env.DEBUG) log();",
    "console.log(1);",
    "setTimeout(f, 1);",
    "await fetch(url);",
    "globalThis.x = 1;",
  ];
  for (const code of impure) {
    test(code, () => assert.deepEqual(breachesOf({ "src/tlog/a.ts": code }), ["src/tlog/a.ts:1"]));
    test(`${code} elsewhere`, () => assert.deepEqual(breachesOf({ "src/services/a.ts": code }), []));
  }
});

test("pure code may not read the clock beside the one file of its folder that may", () => {
  const files = { "src/identity/authority-files.ts": "Date.now()", "src/identity/a.ts": "Date.now()" };
  assert.deepEqual(breachesOf(files), ["src/identity/a.ts:1"]);
});

describe("what the arrows allow", () => {
  const allowed: [name: string, files: Record<string, string>][] = [
    ["imports along the arrow", { "src/db/a.ts": `import { x } from "../tlog/b.ts";`, "src/tlog/b.ts": "" }],
    [
      "imports along the arrows between rooms, and of and by what stands before them",
      {
        "src/services/custody/a.ts": `import "../log/b.ts"; import "../c.ts";`,
        "src/services/log/b.ts": "",
        "src/services/c.ts": `import "./custody/a.ts";`,
      },
    ],
    [
      "the one file of a folder",
      {
        "src/policy/a.ts": `import { assertVerified } from "../verify/verified-attestation.ts";`,
        "src/verify/verified-attestation.ts": "",
      },
    ],
    [
      "a package in its folder",
      { "src/db/a.ts": `import { jsonArrayFrom } from "kysely/helpers/postgres";` },
    ],
    ["hashing in pure code", { "src/tlog/a.ts": `import { createHash, type Hash } from "node:crypto";` }],
    ["dates made of arguments", { "src/tlog/a.ts": "new Date(now).toISOString(); Date.parse(text);" }],
    ["sealing within verify/", { "src/verify/a.ts": "sealVerified(facts)" }],
    ["members that are named like platform objects", { "src/tlog/a.ts": "job.process(job.console)" }],
    [
      "imports in comments, strings, templates and regular expressions",
      {
        "src/tlog/a.ts": [
          `// import "node:fs"`,
          `/* import "node:fs" */`,
          `const a = 'import "node:fs"';`,
          "const b = `import 'node:fs' ${a} Date.now()`;",
          `const c = /import "node:fs"[/]/g.test(a);`,
        ].join("\n"),
      },
    ],
  ];
  for (const [name, files] of allowed) test(name, () => assert.deepEqual(breachesOf(files), []));
});
