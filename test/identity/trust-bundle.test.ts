import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { VouchsafeError } from "../../src/errors.ts";
import { exportJwk } from "../../src/identity/jwk.ts";
import { createJwtMinter } from "../../src/identity/jwt-svid.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import {
  parseJwks,
  parseTrustBundle,
  parseX509Authorities,
  writeJwks,
  writeTrustBundle,
} from "../../src/identity/trust-bundle.ts";
import type { JsonObject, JsonValue } from "../../src/in-toto-attestation/index.ts";
import { writePem } from "../../src/x509/pem.ts";
import fc from "../support/fc.ts";
import { GROUNDS, MINUTE, testAuthority } from "./trust-domain.ts";

const refused = { name: "VouchsafeError", code: "invalid-trust-bundle" };
const now = Date.now();
const { bundle, trustDomain, jwtKeyId, ...authority } = testAuthority("example.org", now);
const other = testAuthority("example.org", now);
const bytesOf = (value: JsonValue) => Buffer.from(JSON.stringify(value));
const parse = (value: JsonValue) => parseTrustBundle(bytesOf(value), trustDomain);
const [x509Entry, jwtEntry] = writeTrustBundle(bundle).keys as readonly [JsonObject, JsonObject];

test("a bundle reads back as it was written", () => {
  const read = parse(writeTrustBundle({ ...bundle, sequence: 7 }));
  assert.equal(read.trustDomain, trustDomain);
  assert.equal(read.sequence, 7);
  assert.equal(read.refreshHint, 300);
  assert.deepEqual(
    read.x509Authorities.map(({ der }) => Buffer.from(der).toString("hex")),
    bundle.x509Authorities.map(({ der }) => Buffer.from(der).toString("hex")),
  );
  assert.deepEqual([...read.jwtAuthorities.keys()], [jwtKeyId]);
  assert.deepEqual(parse(writeTrustBundle(read)), read);
});

test("its entries have the members that SPIFFE asks for, and no private ones", () => {
  assert.deepEqual(Object.keys(x509Entry).sort(), ["crv", "kty", "use", "x", "x5c", "y"]);
  assert.deepEqual(Object.keys(jwtEntry).sort(), ["crv", "kid", "kty", "use", "x", "y"]);
});

test("common JWT libraries take the JWKS", async () => {
  const keys = createLocalJWKSet(JSON.parse(JSON.stringify(writeJwks(bundle))));
  const token = await createJwtMinter({ ...authority, jwtKeyId })({
    spiffeId: parseSpiffeId("spiffe://example.org/widget"),
    audiences: ["a"],
    issuedAt: now,
    expiresAt: now + MINUTE,
    jti: "a",
    grounds: GROUNDS,
  });
  const { payload } = await jwtVerify(token, keys, { audience: "a" });
  assert.equal(payload.sub, "spiffe://example.org/widget");
  assert.deepEqual([...parseJwks(bytesOf(writeJwks(bundle))).keys()], [jwtKeyId]);
});

describe("documents that are taken", () => {
  const cases: [name: string, document: JsonObject, x509: number, jwt: number][] = [
    ["no keys at all", { keys: [] }, 0, 0],
    ["a use that is not known", { keys: [{ ...jwtEntry, use: "wit-svid" }, { use: "more" }, {}] }, 0, 0],
    ["an X.509 entry without a certificate", { keys: [{ kty: "EC", use: "x509-svid" }] }, 0, 0],
    ["an X.509 entry of no certificates", { keys: [{ ...x509Entry, x5c: [] }] }, 0, 0],
    ["members that are not known", { keys: [{ ...jwtEntry, alg: "ES256" }], more: 1 }, 0, 1],
  ];
  for (const [name, document, x509, jwt] of cases) {
    test(name, () => {
      const { x509Authorities, jwtAuthorities } = parse(document);
      assert.deepEqual([x509Authorities.length, jwtAuthorities.size], [x509, jwt]);
    });
  }
});

describe("documents that are refused", () => {
  const { kid: _, ...unnamed } = jwtEntry;
  const [certificate = ""] = x509Entry.x5c as readonly string[];
  const [theirs] = writeTrustBundle(other.bundle).keys as readonly JsonObject[];
  const weak = exportJwk(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey);
  const jwt = (changes: JsonObject): JsonObject => ({ keys: [{ ...jwtEntry, ...changes }] });
  const x509 = (changes: JsonObject): JsonObject => ({ keys: [{ ...x509Entry, ...changes }] });
  const cases: [name: string, document: JsonValue][] = [
    ["a list", []],
    ["no list of keys", {}],
    ["keys that are no list", { keys: { ...jwtEntry } }],
    ["a key that is no object", { keys: ["key"] }],
    ["257 keys", { keys: Array.from({ length: 257 }, (_, i) => ({ ...jwtEntry, kid: `${i}` })) }],
    ["a key for JWT-SVIDs without an ID", { keys: [{ ...unnamed }] }],
    ["an empty key ID", jwt({ kid: "" })],
    ["two keys of one ID", { keys: [jwtEntry, jwtEntry] }],
    ["a private key", jwt({ d: "AAAA" })],
    ["a symmetric key", { keys: [{ kty: "oct", k: "AAAA", kid: "a", use: "jwt-svid" }] }],
    ["a point that is not on its curve", jwt({ x: jwtEntry.y ?? "" })],
    ["a curve that is not known", jwt({ crv: "secp256k1" })],
    ["a coordinate in another spelling", jwt({ x: `${jwtEntry.x}=` })],
    ["a weak RSA key", { keys: [{ ...weak, kid: "a", use: "jwt-svid" }] }],
    ["two certificates in one entry", x509({ x5c: [certificate, certificate] })],
    ["a certificate that is no text", x509({ x5c: [1] })],
    ["a certificate in base64url", x509({ x5c: [Buffer.from(certificate, "base64").toString("base64url")] })],
    ["a certificate that is none", x509({ x5c: ["AAAA"] })],
    ["a certificate of another key", x509({ x5c: theirs?.x5c ?? [] })],
    ["a sequence that is a text", { keys: [], spiffe_sequence: "1" }],
    ["a negative refresh hint", { keys: [], spiffe_refresh_hint: -1 }],
    ["a refresh hint with a fraction", { keys: [], spiffe_refresh_hint: 0.5 }],
  ];
  for (const [name, document] of cases) test(name, () => assert.throws(() => parse(document), refused));

  test("members that are there twice", () => {
    assert.throws(() => parseTrustBundle(Buffer.from('{"keys":[],"keys":[]}'), trustDomain), refused);
  });
});

describe("authorities in PEM", () => {
  const [certificate] = bundle.x509Authorities;
  const pem = writePem("CERTIFICATE", certificate?.der ?? Buffer.alloc(0));

  test("any number of certificates, and what tools write between them", () => {
    assert.equal(parseX509Authorities("").length, 0);
    assert.equal(parseX509Authorities(`subject=root\n${pem}${pem.replaceAll("\n", "\r\n")}`).length, 2);
  });

  const cases: [name: string, pem: string][] = [
    ["no PEM", "root"],
    ["white space alone", "\n"],
    ["a private key", pem.replaceAll("CERTIFICATE", "PRIVATE KEY")],
    ["a block that does not end", pem.slice(0, -10)],
    ["a block that is cut short, then a whole one", pem.slice(0, 60) + pem],
    ["two labels", pem.replace("END CERTIFICATE", "END PRIVATE KEY")],
    ["a certificate that is none", writePem("CERTIFICATE", Buffer.from("root"))],
    ["base64 in another spelling", pem.replace(/\n-----END/, "=\n-----END")],
  ];
  for (const [name, text] of cases)
    test(name, () => assert.throws(() => parseX509Authorities(text), refused));
});

test("property: any bytes are a bundle or refused with the one error", () => {
  const document = writeTrustBundle(bundle);
  const entry = fc
    .constantFrom(x509Entry, jwtEntry)
    .chain((one) =>
      fc
        .tuple(fc.constantFrom(...Object.keys(one)), fc.jsonValue())
        .map(([name, value]) => ({ ...one, [name]: value })),
    );
  const inputs = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
    entry.map((one) => Buffer.from(JSON.stringify({ ...document, keys: [one] }))),
  );
  fc.assert(
    fc.property(inputs, (bytes) => {
      for (const read of [() => parseTrustBundle(bytes, trustDomain), () => parseJwks(bytes)]) {
        try {
          read();
        } catch (error) {
          assert.ok(error instanceof VouchsafeError && error.code === "invalid-trust-bundle", String(error));
        }
      }
    }),
    { numRuns: 300 },
  );
});
