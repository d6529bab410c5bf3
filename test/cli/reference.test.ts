import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { createProgram } from "../../src/cli/program.ts";
import { referenceOf } from "./reference.ts";

const PAGE = "docs/cli.md";
const START = "## Reference\n";

test("docs/cli.md has the program's commands and options, as they are", () => {
  const text = readFileSync(PAGE, "utf8");
  const [own = "", written = ""] = text.split(START);
  const intro =
    "\nMade from the program by `UPDATE_GOLDEN=1 npm test -- test/cli/reference.test.ts`. Every command takes these too:\n\n";
  const reference = `${intro}${referenceOf(createProgram())}`;
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(PAGE, `${own}${START}${reference}`);
  else assert.equal(written, reference);
});
