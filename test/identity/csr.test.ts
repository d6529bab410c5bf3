import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { bitString, der, oid, sequence } from "../../src/der/writer.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { uriName } from "../../src/identity/certificate-extensions.ts";
import { extension } from "../../src/identity/certificate-writer.ts";
import { parseCsr } from "../../src/identity/csr.ts";
import { EXTENSION } from "../../src/x509/oids.ts";
import fc from "../support/fc.ts";
import { openssl } from "./openssl.ts";
import { commonName, extensionRequest, p256, signingRequest, spkiOf } from "./signing-requests.ts";

const refused = { name: "VouchsafeError", code: "invalid-csr" };
const mine = p256();
const other = p256();
const request = signingRequest(mine.key, mine.spki);

const ECDSA_WITH = { sha1: oid("1.2.840.10045.4.1"), sha384: oid("1.2.840.10045.4.3.3") };
const RSA_WITH_SHA256 = sequence(oid("1.2.840.113549.1.1.11"), Buffer.from("0500", "hex"));
const ED25519 = sequence(oid("1.3.101.112"));

function rsa(modulusLength: number, publicExponent = 65537) {
  return spkiOf(generateKeyPairSync("rsa", { modulusLength, publicExponent }));
}

describe("requests that are taken", () => {
  const p384 = spkiOf(generateKeyPairSync("ec", { namedCurve: "P-384" }));
  const ed25519 = spkiOf(generateKeyPairSync("ed25519"));
  const strong = rsa(2048);
  const cases: [name: string, csr: Buffer, spki: Buffer][] = [
    ["P-256", request, mine.spki],
    [
      "P-384 with sha384",
      signingRequest(p384.key, p384.spki, { hash: "sha384", algorithm: sequence(ECDSA_WITH.sha384) }),
      p384.spki,
    ],
    ["Ed25519", signingRequest(ed25519.key, ed25519.spki, { hash: null, algorithm: ED25519 }), ed25519.spki],
    [
      "RSA of 2048 bits",
      signingRequest(strong.key, strong.spki, { algorithm: RSA_WITH_SHA256 }),
      strong.spki,
    ],
  ];
  for (const [name, csr, spki] of cases) {
    test(name, () => {
      const { publicKey, spki: taken } = parseCsr(csr);
      assert.ok(spki.equals(taken));
      assert.ok(publicKey.export({ format: "der", type: "spki" }).equals(spki));
    });
  }

  test("one that openssl made without a subject", { skip: openssl.skip }, () => {
    const csr = execFileSync(
      "openssl",
      "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout /dev/null -subj / -outform DER".split(
        " ",
      ),
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    assert.equal(parseCsr(csr).publicKey.asymmetricKeyType, "ec");
  });
});

describe("requests that are refused", () => {
  const weak = rsa(1024);
  const low = rsa(2048, 3);
  const secp256k1 = spkiOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }));
  const pss = spkiOf(generateKeyPairSync("rsa-pss", { modulusLength: 2048, hashAlgorithm: "sha256" }));
  const compressed = Buffer.from(mine.spki.subarray(0, 26 + 33));
  compressed[1] = compressed.length - 2;
  compressed[24] = 34;
  compressed[26] = 2 + ((mine.spki.at(-1) ?? 0) & 1);
  const offCurve = Buffer.from(mine.spki);
  offCurve[90] = (offCurve[90] ?? 0) ^ 1;
  const san = extension(EXTENSION.subjectAltName, uriName(Buffer.from("spiffe://example.org/admin")));
  const signed = (changes: Parameters<typeof signingRequest>[2]) =>
    signingRequest(mine.key, mine.spki, changes);
  const cases: [name: string, csr: Uint8Array][] = [
    ["a name asked for", signed({ attributes: extensionRequest(san) })],
    ["no name, but an extension request", signed({ attributes: extensionRequest() })],
    [
      "a challenge password",
      signed({ attributes: der(0xa0, sequence(oid("1.2.840.113549.1.9.7"), der(0x31))) }),
    ],
    ["no list of attributes", signed({ attributes: null })],
    ["a member after the attributes", signed({ more: sequence() })],
    ["a subject", signed({ subject: commonName("admin") })],
    ["version 2", signed({ version: 1 })],
    ["a signature of another key", signed({ signedBy: other.key })],
    ["another's key", signed({ spki: other.spki })],
    ["unused bits in the signature", signed({ unusedBits: 1 })],
    ["SHA-1", signed({ hash: "sha1", algorithm: sequence(ECDSA_WITH.sha1) })],
    ["an algorithm that is not the signature's", signed({ algorithm: sequence(ECDSA_WITH.sha384) })],
    ["an algorithm of another kind of key", signed({ algorithm: RSA_WITH_SHA256 })],
    [
      "an algorithm with parameters that it does not have",
      signed({ algorithm: sequence(ECDSA_WITH.sha384, der(0x05)) }),
    ],
    ["RSA of 1024 bits", signingRequest(weak.key, weak.spki, { algorithm: RSA_WITH_SHA256 })],
    ["RSA with the exponent 3", signingRequest(low.key, low.spki, { algorithm: RSA_WITH_SHA256 })],
    ["RSASSA-PSS", signingRequest(pss.key, pss.spki, { algorithm: RSA_WITH_SHA256 })],
    ["another curve", signingRequest(secp256k1.key, secp256k1.spki)],
    ["a compressed point", signed({ spki: compressed })],
    ["a point that is not on the curve", signed({ spki: offCurve })],
    ["a key that is no key", signed({ spki: sequence(sequence(), bitString(Buffer.alloc(65))) })],
    ["something after the request", Buffer.concat([request, Buffer.of(0)])],
    ["a request that is cut off", request.subarray(0, -1)],
    ["a request that is too large", Buffer.concat([request, Buffer.alloc(4096)])],
    ["nothing", Buffer.alloc(0)],
    ["a member after the signature", sequence(...parts(request), sequence())],
  ];
  for (const [name, csr] of cases) test(name, () => assert.throws(() => parseCsr(csr), refused));
});

test("property: no changed byte is taken, and none throws anything else", () => {
  fc.assert(
    fc.property(fc.nat(request.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(request);
      changed[at] = (changed[at] ?? 0) ^ change;
      assert.throws(() => parseCsr(changed), refused);
    }),
    { numRuns: 400 },
  );
});

test("property: bytes that are no request throw the one error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.throws(
        () => parseCsr(bytes),
        (error) => error instanceof VouchsafeError && error.code === "invalid-csr",
      );
    }),
  );
});

function parts(csr: Buffer): Uint8Array[] {
  return [csr.subarray(csr.length > 0x83 ? 3 : 2)];
}
