import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findToken } from "../../src/cli/credentials.ts";

const dataDir = mkdtempSync(join(tmpdir(), "vouchsafe-credentials-"));
after(() => rmSync(dataDir, { recursive: true }));
writeFileSync(join(dataDir, "operator-token"), "from-data-dir\n");
writeFileSync(join(dataDir, "other-token"), "from-file\n");

const LOCAL = "http://127.0.0.1:8080";
const env = { VOUCHSAFE_DATA_DIR: dataDir };

/** A token of a CI system as far as who holds it reads it. */
function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;
}

const found = async (server: string, settings: Readonly<Record<string, string>>) => {
  const token = findToken(server, settings);
  return typeof token === "object" ? token.current() : token;
};

test("a token of the environment comes first, then a file that it names, then the operator token", async () => {
  const file = join(dataDir, "other-token");
  assert.equal(findToken(LOCAL, { ...env, VOUCHSAFE_TOKEN: "given", VOUCHSAFE_TOKEN_FILE: file }), "given");
  assert.equal(await found(LOCAL, { ...env, VOUCHSAFE_TOKEN_FILE: file }), "from-file");
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

test("a token file is read again, as its keeper writes it anew", async () => {
  const file = join(dataDir, "projected");
  writeFileSync(file, "first");
  const source = findToken("https://vouchsafe.example", { VOUCHSAFE_TOKEN_FILE: file });
  assert.ok(typeof source === "object");
  assert.equal(await source.current(), "first");
  assert.equal(await source.renewed(), undefined);
  writeFileSync(file, "second");
  assert.equal(await source.renewed(), "second");
});

test("a token that names its audiences is shown to no other", async () => {
  const server = "https://vouchsafe.example/";
  const token = jwt({ aud: "https://vouchsafe.example" });
  const file = join(dataDir, "jwt");
  writeFileSync(file, token);
  for (const settings of [
    { VOUCHSAFE_ID_TOKEN: token },
    { VOUCHSAFE_TOKEN: token },
    { VOUCHSAFE_TOKEN_FILE: file },
  ]) {
    assert.equal(await found(server, settings), token);
    assert.throws(
      () => findToken("https://evil.example", settings),
      /for https:\/\/vouchsafe.example and not/,
    );
    assert.equal(
      await found("https://10.0.0.1", { ...settings, VOUCHSAFE_AUDIENCE: "https://vouchsafe.example" }),
      token,
    );
  }
});

describe("in a job of GitHub Actions", () => {
  const asked: { readonly audience: string | null; readonly authorization: string | undefined }[] = [];
  let lifetime = 300;
  const issuer = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://x");
    asked.push({
      audience: searchParams.get("audience"),
      authorization: request.headers.authorization,
    });
    const exp = Math.floor(Date.now() / 1000) + lifetime;
    response.end(JSON.stringify({ value: jwt({ aud: searchParams.get("audience"), exp, n: asked.length }) }));
  });
  before(() => new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve)));
  after(() => issuer.close());

  function job() {
    const { port } = issuer.address() as AddressInfo;
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "of-the-job",
    };
  }
  function source(settings: Readonly<Record<string, string>> = {}) {
    const token = findToken("https://vouchsafe.example/", { ...job(), ...settings });
    assert.ok(typeof token === "object");
    return token;
  }

  test("a token is asked for with the server as its audience, once while it lives", async () => {
    asked.length = 0;
    const tokens = source();
    const [first, second] = await Promise.all([tokens.current(), tokens.current()]);
    assert.equal(first, second);
    assert.equal(await tokens.current(), first);
    assert.deepEqual(asked, [{ audience: "https://vouchsafe.example", authorization: "Bearer of-the-job" }]);
    assert.notEqual(await tokens.renewed(), first);
  });

  test("one that is about to end is replaced", async () => {
    lifetime = 30;
    const tokens = source();
    assert.notEqual(await tokens.current(), await tokens.current());
    lifetime = 300;
  });

  test("what was configured comes before it", async () => {
    assert.equal(await found("https://vouchsafe.example", { ...job(), VOUCHSAFE_TOKEN: "given" }), "given");
    assert.equal(await found(LOCAL, { ...job(), ...env }), "from-data-dir");
  });
});
