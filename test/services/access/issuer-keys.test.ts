import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { ProjectId } from "../../../src/custody/events.ts";
import { type ErrorCode, hasCode, VouchsafeError } from "../../../src/errors.ts";
import { type IssuerKeys, parseIssuerKeys } from "../../../src/identity/issuer-keys.ts";
import { PUBLIC_ONLY, readOutboundRules } from "../../../src/outbound/rules.ts";
import { fetchIssuerKeys } from "../../../src/services/access/fetch-issuer-keys.ts";
import { createIssuerKeys, type KnownIssuerKeys } from "../../../src/services/access/issuer-keys.ts";
import { type FileServer, serveFiles } from "../../support/file-server.ts";
import { startOidcIssuer } from "../../support/oidc-issuer.ts";

const ISSUER = "https://ci.example";
const PROJECT = "p" as ProjectId;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function someKeys(): Promise<{ readonly jwks: string; readonly kid: string }> {
  const issuer = await startOidcIssuer({ alg: "ES256" });
  await issuer.close();
  const jwks = issuer.jwks();
  return { jwks, kid: JSON.parse(jwks).keys[0].kid };
}
const read = (jwks: string) => parseIssuerKeys(Buffer.from(jwks));
const { jwks, kid } = await someKeys();
const other = await someKeys();

describe("what is known of an issuer's keys", () => {
  let now: number;
  let asked: number;
  let answer: () => Promise<IssuerKeys>;
  let known: KnownIssuerKeys;
  beforeEach(() => {
    now = 1_700_000_000_000;
    asked = 0;
    answer = async () => read(jwks);
    const ask = () => {
      asked += 1;
      return answer();
    };
    known = createIssuerKeys({ ask, clock: () => now, report: () => {} });
  });
  const out = async () => {
    throw new VouchsafeError("outbound-failed", "no answer");
  };
  const isKnown = async (id = kid) => (await known.keyOf(PROJECT, ISSUER, id)) !== undefined;
  const isUnavailable = (error: unknown) => hasCode(error, "unavailable");

  test("is asked for once by all who ask at once, and again after ten minutes", async () => {
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => isKnown())), [true, true, true]);
    now += 10 * MINUTE - 1;
    assert.equal(await isKnown(), true);
    assert.equal(asked, 1);
    now += 1;
    assert.equal(await isKnown(), true);
    assert.equal(asked, 2);
  });

  test("forgets what the issuer withdrew when it is asked again", async () => {
    await isKnown();
    answer = async () => read(other.jwks);
    assert.equal(await isKnown(), true);
    now += 10 * MINUTE;
    assert.deepEqual([await isKnown(), await isKnown(other.kid)], [false, true]);
  });

  test("is asked for at once for a key that is not there, and not more than every ten seconds", async () => {
    await isKnown();
    now += MINUTE;
    answer = async () => read(other.jwks);
    assert.equal(await isKnown(other.kid), true);
    for (let n = 0; n < 20; n += 1) assert.equal(await isKnown(`guess-${n}`), false);
    assert.equal(asked, 2);
    now += 10_000;
    assert.equal(await isKnown("guess"), false);
    assert.equal(asked, 3);
  });

  test("counts for a day while the issuer does not answer, and no longer", async () => {
    await isKnown();
    answer = out;
    for (const hours of [1, 12, 23.9]) {
      now = 1_700_000_000_000 + hours * HOUR;
      assert.equal(await isKnown(), true, `${hours}`);
      await assert.rejects(known.keyOf(PROJECT, ISSUER, other.kid), isUnavailable);
    }
    assert.equal(asked, 4);
    now = 1_700_000_000_000 + 24 * HOUR;
    await assert.rejects(known.keyOf(PROJECT, ISSUER, kid), isUnavailable);
    answer = async () => read(jwks);
    now += MINUTE;
    assert.equal(await isKnown(), true);
  });

  test("of one that never answered is nothing, and it is not asked by everybody", async () => {
    answer = out;
    for (const _ of [1, 2, 3]) await assert.rejects(known.keyOf(PROJECT, ISSUER, kid), isUnavailable);
    assert.equal(asked, 1);
  });

  test("is old when the clock was set back", async () => {
    await isKnown();
    now -= HOUR;
    assert.equal(await isKnown(), true);
    assert.equal(asked, 2);
  });

  test("of more issuers than are remembered is asked for again, and nobody sooner than ten seconds after", async () => {
    const others = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => known.keyOf(PROJECT, `${ISSUER}/${from + n}`, kid));
    await Promise.all([isKnown(), ...others(0, 127)]);
    await assert.rejects(Promise.all(others(127, 128)), isUnavailable);
    assert.equal(asked, 128);
    now += 10_000;
    await Promise.all(others(127, 128));
    assert.equal(await isKnown(), true);
    assert.equal(asked, 130);
  });

  test("of a project's issuer stays, however many other projects name", async () => {
    await isKnown();
    answer = out;
    now += 10_000;
    for (let n = 0; n < 2_000; n += 1) {
      const issuer = `https://${n}.example`;
      await assert.rejects(known.keyOf("q" as ProjectId, issuer, kid), isUnavailable);
      now += 1;
    }
    assert.equal(await isKnown(), true, "though it does not answer now");
  });
});

describe("asking an issuer for its keys", () => {
  let files: Record<string, string | null>;
  let server: FileServer;
  before(async () => {
    server = await serveFiles((path) => files[path]);
  });
  after(() => server.close());
  const { rules } = readOutboundRules(["127.0.0.1"]);
  const CONFIGURATION = "/.well-known/openid-configuration";
  const document = (others: object = {}) =>
    JSON.stringify({ issuer: server.url, jwks_uri: `${server.url}/jwks`, ...others });
  const refusedWith = (code: ErrorCode, message: RegExp) => (error: unknown) =>
    hasCode(error, code) && message.test(error.message);

  test("gives those that its own document leads to", async () => {
    files = { [CONFIGURATION]: document(), "/jwks": jwks };
    assert.deepEqual([...(await fetchIssuerKeys(server.url, rules)).keys()], [kid]);
    files = { [`/realm${CONFIGURATION}`]: document({ issuer: `${server.url}/realm/` }), "/jwks": jwks };
    assert.deepEqual([...(await fetchIssuerKeys(`${server.url}/realm/`, rules)).keys()], [kid]);
  });

  test("goes nowhere that the installation does not go", async () => {
    files = { [CONFIGURATION]: document(), "/jwks": jwks };
    const refused = refusedWith("outbound-refused", /is not asked/);
    await assert.rejects(fetchIssuerKeys(server.url, PUBLIC_ONLY), refused);
    files = { [CONFIGURATION]: document({ jwks_uri: "http://169.254.169.254/latest" }) };
    await assert.rejects(fetchIssuerKeys(server.url, rules), refused);
    files = { [CONFIGURATION]: document({ jwks_uri: "file:///etc/passwd" }) };
    await assert.rejects(fetchIssuerKeys(server.url, rules), refused);
  });

  const documents: [
    what: string,
    served: () => Record<string, string | null>,
    code: ErrorCode,
    message: RegExp,
  ][] = [
    [
      "another issuer's document",
      () => ({ [CONFIGURATION]: document({ issuer: "https://other.example" }) }),
      "invalid-trust-bundle",
      /of another issuer/,
    ],
    [
      "a document without keys",
      () => ({ [CONFIGURATION]: document({ jwks_uri: undefined }) }),
      "invalid-trust-bundle",
      /no jwks_uri/,
    ],
    [
      "a document that is none",
      () => ({ [CONFIGURATION]: "<html>" }),
      "invalid-trust-bundle",
      /not strict JSON/,
    ],
    [
      "a document that is too large",
      () => ({ [CONFIGURATION]: document({ x: "x".repeat(300_000) }) }),
      "outbound-failed",
      /./,
    ],
    ["no document", () => ({}), "outbound-failed", /status 404/],
    ["no answer", () => ({ [CONFIGURATION]: null }), "outbound-failed", /connection/],
    ["no keys", () => ({ [CONFIGURATION]: document() }), "outbound-failed", /status 404/],
    [
      "keys that are none",
      () => ({ [CONFIGURATION]: document(), "/jwks": "{}" }),
      "invalid-trust-bundle",
      /no list/,
    ],
    [
      "two keys of one ID",
      () => ({
        [CONFIGURATION]: document(),
        "/jwks": JSON.stringify({ keys: [...JSON.parse(jwks).keys, ...JSON.parse(jwks).keys] }),
      }),
      "invalid-trust-bundle",
      /the same key ID/,
    ],
  ];
  for (const [what, served, code, message] of documents) {
    test(`believes nothing of ${what}`, async () => {
      files = served();
      await assert.rejects(fetchIssuerKeys(server.url, rules), refusedWith(code, message));
    });
  }

  test("passes over keys that no token is verified with", () => {
    const [key] = JSON.parse(jwks).keys;
    const odd = [
      { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "ed" },
      { kty: "oct", k: "AAAA", kid: "secret" },
      { ...key, use: "enc", kid: "enc" },
      { ...key, kid: undefined },
      { ...key, kid: 7 },
      { ...key, d: key.x, kid: "private" },
    ];
    assert.deepEqual([...read(JSON.stringify({ keys: [...odd, key] })).keys()], [kid]);
  });
});
