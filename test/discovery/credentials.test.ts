import assert from "node:assert/strict";
import { test } from "node:test";
import { dockerCredentials } from "../../src/discovery/credentials.ts";
import { hasCode } from "../../src/errors.ts";

const read = (document: unknown) =>
  Object.fromEntries(dockerCredentials(Buffer.from(JSON.stringify(document))));
const auth = Buffer.from("user:pass:word").toString("base64");
const credential = { username: "user", password: "pass:word" };

test("credentials are known by the host of their registry", () => {
  const cases: [unknown, object][] = [
    [{}, {}],
    [{ auths: {}, credsStore: "desktop" }, {}],
    [{ auths: { "ghcr.io": { auth } } }, { "ghcr.io": credential }],
    [{ auths: { "https://GHCR.io/v2/": { auth } } }, { "ghcr.io": credential }],
    [{ auths: { "https://index.docker.io/v1/": { auth } } }, { "docker.io": credential }],
    [{ auths: { "registry.internal:5000": credential } }, { "registry.internal:5000": credential }],
    [{ auths: { "ghcr.io": {}, "quay.io": { identitytoken: "x" } } }, {}],
  ];
  for (const [document, expected] of cases)
    assert.deepEqual(read(document), expected, JSON.stringify(document));
});

test("what is no such file is refused, and nothing of it told", () => {
  const noColon = Buffer.from("secret").toString("base64");
  for (const document of [
    [],
    "secret",
    { auths: [] },
    { auths: { a: "secret" } },
    { auths: { a: { auth: noColon } } },
  ])
    assert.throws(
      () => read(document),
      (error: Error) => hasCode(error, "configuration-invalid") && !/secret|c2Vj/.test(error.message),
    );
  assert.throws(
    () => dockerCredentials(Buffer.from("{secret")),
    (error: Error) => !/secret/.test(error.message),
  );
});
