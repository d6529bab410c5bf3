import assert from "node:assert/strict";
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, test } from "node:test";
import { jwtVerify } from "jose";
import { encodePart } from "../../src/identity/jws.ts";
import { createJwtMinter, GROUNDS_CLAIM, validateJwtSvid } from "../../src/identity/jwt-svid.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { TrustBundle } from "../../src/identity/trust-bundle.ts";
import type { JsonObject } from "../../src/in-toto-attestation/index.ts";
import fc from "../support/fc.ts";
import { GROUNDS, MINUTE, testAuthority } from "./trust-domain.ts";

const refused = { name: "VouchsafeError", code: "invalid-svid" };
const now = Math.floor(Date.now() / 1000) * 1000;
const authority = testAuthority("example.org", now);
const mint = createJwtMinter(authority);
const ID = parseSpiffeId("spiffe://example.org/widget");
const DATABASE = "spiffe://example.org/database";
const request = {
  spiffeId: ID,
  audiences: [DATABASE, "other"],
  issuedAt: now,
  expiresAt: now + 5 * MINUTE,
  jti: "a-token",
  grounds: GROUNDS,
};
const token = await mint(request);
const {
  jwtKeyId: kid,
  keys: { jwt: jwtKey },
  bundle,
} = authority;

const validate = (text: string, at = now) => validateJwtSvid(text, bundle, DATABASE, at);

test("a token says what was asked for, and validates for each of its audiences", () => {
  const svid = validate(token);
  assert.equal(svid.spiffeId, ID);
  assert.deepEqual(svid.audiences, request.audiences);
  assert.equal(svid.expiresAt, request.expiresAt);
  assert.deepEqual(svid.grounds, GROUNDS);
  assert.equal(svid.claims.jti, "a-token");
  assert.equal(svid.claims.iat, now / 1000);
  assert.equal(validateJwtSvid(token, bundle, "other", now).spiffeId, ID);
});

test("jose takes it for what it is, whatever the lengths of r and s", async () => {
  for (let i = 0; i < 600; i += 1) {
    const text = await mint({ ...request, jti: `${i}` });
    assert.equal(Buffer.from(text.split(".")[2] ?? "", "base64url").length, 64);
    assert.equal(validate(text).claims.jti, `${i}`);
  }
  const { payload, protectedHeader } = await jwtVerify(token, createPublicKey(jwtKey), {
    audience: DATABASE,
  });
  assert.equal(payload.sub, ID);
  assert.deepEqual(protectedHeader, { alg: "ES256", kid, typ: "JWT" });
});

test("it holds until the second in which it expires, and no longer", () => {
  validate(token, request.expiresAt - 1);
  assert.throws(() => validate(token, request.expiresAt), refused);
});

/** Signs with the authority's key whatever is said. */
function forge(header: JsonObject, claims: JsonObject, key: KeyObject = jwtKey, hash = "sha256"): string {
  const signed = `${encodePart(header)}.${encodePart(claims)}`;
  const signature = sign(hash, Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

const HEADER = { alg: "ES256", kid, typ: "JWT" };
const CLAIMS = { sub: ID, aud: [DATABASE], exp: now / 1000 + 60 };

describe("tokens of others that are taken", () => {
  const cases: [name: string, header: JsonObject, claims: JsonObject][] = [
    ["no grounds, no iat", HEADER, CLAIMS],
    ["no type", { alg: "ES256", kid }, CLAIMS],
    ["the type JOSE", { ...HEADER, typ: "JOSE" }, CLAIMS],
    ["one audience as a text", HEADER, { ...CLAIMS, aud: DATABASE }],
    ["a fraction of a second", HEADER, { ...CLAIMS, exp: now / 1000 + 0.5 }],
    ["claims of its own", HEADER, { ...CLAIMS, iss: "https://example.org", more: { a: [1] } }],
    ["a clock that is a little ahead", HEADER, { ...CLAIMS, iat: now / 1000 + 30, nbf: now / 1000 + 30 }],
  ];
  for (const [name, header, claims] of cases) {
    test(name, () => assert.equal(validate(forge(header, claims)).spiffeId, ID));
  }

  const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const P384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  for (const [alg, hash, { privateKey, publicKey }] of [
    ["RS256", "sha256", RSA],
    ["RS512", "sha512", RSA],
    ["ES384", "sha384", P384],
  ] as const) {
    test(alg, () => {
      const theirs: TrustBundle = { ...bundle, jwtAuthorities: new Map([["k", publicKey]]) };
      const text = forge({ alg, kid: "k" }, CLAIMS, privateKey, hash);
      assert.equal(validateJwtSvid(text, theirs, DATABASE, now).spiffeId, ID);
      for (const other of ["RS384", "ES256", "ES512", "PS256", "HS256"]) {
        const lied = forge({ alg: other, kid: "k" }, CLAIMS, privateKey, hash);
        assert.throws(() => validateJwtSvid(lied, theirs, DATABASE, now), refused, other);
      }
    });
  }
});

test("an elliptic curve goes with its own algorithm alone, however right the signature is", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const theirs: TrustBundle = { ...bundle, jwtAuthorities: new Map([["k", publicKey]]) };
  for (const [alg, hash] of [
    ["ES256", "sha256"],
    ["ES512", "sha512"],
  ] as const) {
    const text = forge({ alg, kid: "k" }, CLAIMS, privateKey, hash);
    assert.throws(() => validateJwtSvid(text, theirs, DATABASE, now), refused);
  }
});

describe("tokens that are refused", () => {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const publicPem = createPublicKey(jwtKey).export({ format: "pem", type: "spki" });
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const without = (object: JsonObject, name: string): JsonObject =>
    Object.fromEntries(Object.entries(object).filter(([member]) => member !== name));
  const hs256 = (key: string | Buffer) => {
    const signed = `${encodePart({ ...HEADER, alg: "HS256" })}.${encodePart(CLAIMS)}`;
    return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
  };
  const claims = (changes: JsonObject) => forge(HEADER, { ...CLAIMS, ...changes });
  const grounds = (value: JsonObject[string]) => claims({ [GROUNDS_CLAIM]: value });
  const cases: [name: string, text: string][] = [
    ["alg none without a signature", `${encodePart({ ...HEADER, alg: "none" })}.${encodePart(CLAIMS)}.`],
    ["alg none with a signature", forge({ ...HEADER, alg: "none" }, CLAIMS)],
    ["HS256 keyed with the public key's PEM", hs256(publicPem)],
    ["HS256 keyed with nothing", hs256("")],
    ["an algorithm in other letters", forge({ ...HEADER, alg: "es256" }, CLAIMS)],
    ["an algorithm by a name of every object", forge({ ...HEADER, alg: "constructor" }, CLAIMS)],
    ["no algorithm", forge(without(HEADER, "alg"), CLAIMS)],
    ["no key ID", forge(without(HEADER, "kid"), CLAIMS)],
    ["a key ID that the bundle does not have", forge({ ...HEADER, kid: "another" }, CLAIMS)],
    ["a key ID that is no text", forge({ ...HEADER, kid: [kid] }, CLAIMS)],
    [
      "a key of its own",
      forge(
        { ...HEADER, jwk: createPublicKey(stranger).export({ format: "jwk" }) as JsonObject },
        CLAIMS,
        stranger,
      ),
    ],
    ["a critical header", forge({ ...HEADER, crit: ["b64"], b64: false }, CLAIMS)],
    ["another type", forge({ ...HEADER, typ: "vouchsafe-agent+jwt" }, CLAIMS)],
    ["a signature of another key", forge(HEADER, CLAIMS, stranger)],
    [
      "a signature in DER",
      `${header}.${payload}.${sign("sha256", Buffer.from(`${header}.${payload}`), jwtKey).toString("base64url")}`,
    ],
    ["no signature", `${header}.${payload}.`],
    ["a signature of zeros", `${header}.${payload}.${Buffer.alloc(64).toString("base64url")}`],
    ["another payload", `${header}.${encodePart(CLAIMS)}.${signature}`],
    ["another audience", claims({ aud: ["other"] })],
    ["an audience that the wanted one begins", claims({ aud: [`${DATABASE}/more`] })],
    ["no audience", forge(HEADER, without(CLAIMS, "aud"))],
    ["an empty list of audiences", claims({ aud: [] })],
    ["an audience that is no text", claims({ aud: [DATABASE, 1] })],
    ["no expiry", forge(HEADER, without(CLAIMS, "exp"))],
    ["an expiry that is a text", claims({ exp: String(CLAIMS.exp) })],
    ["an expiry in the past", claims({ exp: now / 1000 - 1 })],
    ["a start in the future", claims({ nbf: now / 1000 + 120 })],
    ["an issue in the future", claims({ iat: now / 1000 + 120 })],
    ["a start that is a text", claims({ nbf: "0" })],
    ["no subject", forge(HEADER, without(CLAIMS, "sub"))],
    ["a subject that is no SPIFFE ID", claims({ sub: "widget" })],
    ["a subject with path traversal", claims({ sub: "spiffe://example.org/a/../widget" })],
    ["a subject of a foreign trust domain", claims({ sub: "spiffe://example.com/widget" })],
    ["grounds that are no object", grounds("sha256:00")],
    ["grounds without verdicts", grounds({ digests: [], policies: [] })],
    ["grounds with more", grounds({ digests: [], policies: [], verdicts: [], more: 1 })],
    ["grounds of a malformed digest", grounds({ digests: ["sha256:00"], policies: [], verdicts: [] })],
    ["grounds of a negative index", grounds({ digests: [], policies: [], verdicts: [-1] })],
    ["grounds of an index that is none", grounds({ digests: [], policies: [], verdicts: [], index: "1" })],
    ["grounds of too many", grounds({ digests: [], policies: Array(65).fill("p"), verdicts: [] })],
    ["four parts", `${token}.`],
    ["two parts", `${header}.${payload}`],
    ["padding", `${header}=.${payload}.${signature}`],
    ["white space", ` ${token}`],
    [
      "a header that says a thing twice",
      `${Buffer.from(`{"alg":"none","alg":"ES256","kid":"${kid}"}`).toString("base64url")}.${payload}.${signature}`,
    ],
    ["JSON serialisation", JSON.stringify({ protected: header, payload, signature })],
    ["16 KB and more", `${header}.${payload}.${"A".repeat(16_384)}`],
    ["nothing", ""],
  ];
  for (const [name, text] of cases) test(name, () => assert.throws(() => validate(text), refused));

  test("any, when the bundle has no keys", () => {
    const empty = { ...bundle, jwtAuthorities: new Map() };
    assert.throws(() => validateJwtSvid(token, empty, DATABASE, now), refused);
  });
});

test("property: no changed character is taken, and none throws anything else", () => {
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      const changed = token.slice(0, at) + character + token.slice(at + 1);
      if (changed !== token) assert.throws(() => validate(changed), refused);
    }),
    { numRuns: 300 },
  );
  fc.assert(fc.property(fc.string(), (text) => assert.throws(() => validate(text), refused)));
});
