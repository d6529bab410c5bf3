import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { commandBlocks } from "../../.ci/readme-command.ts";

const PAGES = globSync("{*.md,docs/**/*.md}").sort();
const read = (file: string) => readFileSync(file, "utf8");

describe("what the docs name exists", () => {
  for (const page of PAGES) {
    test(`links of ${page}`, () => {
      const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
      for (const target of targets.filter((one) => !/^https?:/.test(one))) {
        const [file = "", heading] = target.split("#");
        const path = file === "" ? page : join(dirname(page), file);
        assert.ok(existsSync(path), `${target} does not exist`);
        if (heading !== undefined)
          assert.ok(anchorsOf(read(path)).has(heading), `${target}: there is no such heading`);
      }
    });

    test(`files named in ${page}`, () => {
      const named = [
        ...read(page).matchAll(/`((?:src|test|testdata|docs|bench|policies|\.ci)\/[^`\s*{}]*)`/g),
      ];
      for (const [, path = ""] of named) assert.ok(existsSync(path), `${path} does not exist`);
    });
  }

  test("decisions that pages refer to by number", () => {
    for (const page of PAGES) {
      for (const [, number] of read(page).matchAll(/decisions\/(\d{4})\b/g)) {
        assert.equal(
          globSync(`docs/decisions/${number}-*.md`).length,
          1,
          `${page} refers to decision ${number}`,
        );
      }
    }
  });
});

describe("README.md", () => {
  test("has one block each that ends with the demo and with the tests", () => {
    assert.deepEqual(commandBlocks(read("README.md"), "npm run demo"), ["npm ci && npm run demo"]);
    assert.deepEqual(commandBlocks(read("README.md"), "npm test"), ["npm ci && npm test"]);
  });
});

describe("docs/api.md", () => {
  // HEAD goes where GET goes.
  test("lists every route with the roles that may call it", () => {
    const listed = new Map<string, string>();
    for (const line of read("docs/api.md")
      .split("\n")
      .filter((text) => text.startsWith("| `"))) {
      const [, routes = "", , roles = ""] = line.split("|");
      for (const [, route = ""] of routes.matchAll(/`([^`]+)`/g))
        listed.set(route, rolesIn(roles.split(",")));
    }
    const golden = Object.entries(
      JSON.parse(read("testdata/routes.golden.json")) as Record<
        string,
        string | string[] | { readonly installation: readonly string[] }
      >,
    );
    const wordsFor = (access: (typeof golden)[number][1]) =>
      typeof access === "object" && "installation" in access
        ? access.installation.map((role) => `${role} of \`default\``)
        : [access].flat();
    const routes = golden.filter(([route]) => !route.startsWith("HEAD "));
    const actual = new Map(routes.map(([route, roles]) => [route, rolesIn(wordsFor(roles))]));
    assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(actual));
  });
});

describe("docs/decisions/0009-runtime-dependencies.md", () => {
  test("accounts for each runtime dependency at its version", () => {
    const rows = read("docs/decisions/0009-runtime-dependencies.md")
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    const listed = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)` ([\d.]+)/g)]);
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
    assert.deepEqual(Object.fromEntries(listed.map(([, name, version]) => [name, version])), dependencies);
  });
});

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => heading);
  const plain = headings.map((one) => one.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase());
  return new Set(plain.map((one) => one.replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")));
}

function rolesIn(roles: readonly string[]): string {
  return roles
    .map((role) => role.trim())
    .sort()
    .join(", ");
}
