import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findToken } from "../../src/cli/credentials.ts";

const dataDir = mkdtempSync(join(tmpdir(), "vouchsafe-credentials-"));
after(() => rmSync(dataDir, { recursive: true }));
writeFileSync(join(dataDir, "operator-token"), "from-data-dir\n");
writeFileSync(join(dataDir, "other-token"), "from-file\n");

const LOCAL = "http://127.0.0.1:8080";
const env = { VOUCHSAFE_DATA_DIR: dataDir };

test("a token of the environment comes first, then a file that it names, then the operator token", () => {
  const file = join(dataDir, "other-token");
  assert.equal(findToken(LOCAL, { ...env, VOUCHSAFE_TOKEN: "given", VOUCHSAFE_TOKEN_FILE: file }), "given");
  assert.equal(findToken(LOCAL, { ...env, VOUCHSAFE_TOKEN_FILE: file }), "from-file");
  assert.equal(findToken(LOCAL, env), "from-data-dir");
  assert.equal(findToken(LOCAL, { VOUCHSAFE_DATA_DIR: join(dataDir, "none") }), undefined);
});

test("a token file that is not there is a mistake, not an absence", () => {
  assert.throws(() => findToken(LOCAL, { VOUCHSAFE_TOKEN_FILE: join(dataDir, "none") }), {
    name: "UsageError",
  });
});

test("the operator token stays on this machine", () => {
  for (const server of ["http://localhost:1", "http://[::1]:1", "https://127.0.0.5"]) {
    assert.equal(findToken(server, env), "from-data-dir", server);
  }
  for (const server of [
    "https://vouchsafe.example",
    "http://127.0.0.1.example.com",
    "http://localhost.example",
  ]) {
    assert.equal(findToken(server, env), undefined, server);
  }
});

test("a token that no header can carry is a mistake, and one line end too many is none", () => {
  for (const token of ["two\nlines", "two words", "\u0000", "caf\u00e9", " "]) {
    assert.throws(() => findToken(LOCAL, { VOUCHSAFE_TOKEN: token }), { name: "UsageError" }, token);
  }
  assert.equal(findToken(LOCAL, { VOUCHSAFE_TOKEN: "given\n" }), "given");
});
