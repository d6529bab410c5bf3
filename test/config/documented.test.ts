import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { readConfig } from "../../src/config/config.ts";
import { readSettings } from "../../src/config/read.ts";
import { SETTING_LIST } from "../../src/config/settings.ts";
import { exampleFile, withTable } from "./described.ts";

const PAGE = "docs/configuration.md";
const EXAMPLE = "docs/examples/vouchsafe.yaml";

test("docs/configuration.md has every setting, and no other (UPDATE_GOLDEN=1 writes it)", () => {
  const page = readFileSync(PAGE, "utf8");
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(PAGE, withTable(page));
  else assert.equal(page, withTable(page));
});

test("docs/examples/vouchsafe.yaml has every setting (UPDATE_GOLDEN=1 writes it), and says what is so anyway", () => {
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(EXAMPLE, exampleFile());
  assert.equal(readFileSync(EXAMPLE, "utf8"), exampleFile());
  assert.deepEqual(readConfig({ VOUCHSAFE_CONFIG: EXAMPLE }), readConfig({}));
  const { origins } = readSettings({ VOUCHSAFE_CONFIG: EXAMPLE });
  for (const [name, { written }] of SETTING_LIST)
    assert.equal(origins[name], written === undefined ? "default" : "file", name);
});

test("both spellings of a setting are its own", () => {
  const spellings = SETTING_LIST.flatMap(([, { env, yaml }]) => [env, yaml]);
  assert.equal(new Set(spellings).size, spellings.length);
  for (const [name, { yaml }] of SETTING_LIST) {
    assert.match(yaml, /^[a-z][A-Za-z]*(\.[a-z][A-Za-z]*)?$/, name);
    assert.ok(
      !SETTING_LIST.some(([, other]) => other.yaml.startsWith(`${yaml}.`)),
      `${yaml} is also a section`,
    );
  }
});
