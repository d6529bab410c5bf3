import assert from "node:assert/strict";
import type { KeyObject } from "node:crypto";
import { describe, test } from "node:test";
import { TAG } from "../../src/der/reader.ts";
import { der, octetString, oid, sequence } from "../../src/der/writer.ts";
import { AUTHORITY_EXTENSIONS, LEAF_EXTENSIONS, uriName } from "../../src/identity/certificate-extensions.ts";
import {
  type CertificateContent,
  criticalExtension,
  extension,
  time,
  writeCertificate,
} from "../../src/identity/certificate-writer.ts";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import { GROUNDS } from "../../src/identity/svid-extension.ts";
import type { TrustBundle } from "../../src/identity/trust-bundle.ts";
import { parseX509Svid, validateX509Svid } from "../../src/identity/x509-validation.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { EXTENSION } from "../../src/x509/oids.ts";
import { x509Signer } from "../../src/x509/signatures.ts";
import fc from "../support/fc.ts";
import { commonName, p256 } from "./signing-requests.ts";
import { MINUTE } from "./trust-domain.ts";

const refused = { name: "VouchsafeError", code: "invalid-svid" };
const now = Date.now();

const root = p256();
const middle = p256();
const leaf = p256();
const stranger = p256();

const SAN = extension(EXTENSION.subjectAltName, uriName(Buffer.from("spiffe://example.org/widget")));
const [KEY_USAGE, EXT_KEY_USAGE, NO_AUTHORITY] = LEAF_EXTENSIONS as [Uint8Array, Uint8Array, Uint8Array];
const [SIGNS, IS_AUTHORITY] = AUTHORITY_EXTENSIONS as [Uint8Array, Uint8Array];
const keyUsage = (...bits: number[]) =>
  criticalExtension(EXTENSION.keyUsage, der(TAG.bitString, Buffer.from(bits)));
const pathLength = (length: number) =>
  criticalExtension(EXTENSION.basicConstraints, sequence(TRUE, der(TAG.integer, Buffer.of(length))));
const TRUE = der(TAG.boolean, Buffer.of(0xff));

interface Changes extends Partial<CertificateContent> {
  readonly by?: KeyObject;
}

function certificate(name: string, { by = root.key, ...changes }: Changes): Buffer {
  const signer = x509Signer(by);
  assert.ok(signer);
  return writeCertificate(
    {
      serial: Buffer.of(1),
      issuer: commonName("root"),
      subject: commonName(name),
      notBefore: time(now - MINUTE),
      notAfter: time(now + MINUTE),
      spki: leaf.spki,
      extensions: [],
      ...changes,
    },
    signer,
  );
}

const leafWith = (changes: Changes = {}) =>
  certificate("leaf", { extensions: [...LEAF_EXTENSIONS, SAN], ...changes });
const underMiddle = (changes: Changes = {}) =>
  leafWith({ issuer: commonName("middle"), by: middle.key, ...changes });
const middleWith = (changes: Changes = {}) =>
  certificate("middle", { spki: middle.spki, extensions: AUTHORITY_EXTENSIONS, ...changes });
const rootWith = (changes: Changes = {}) =>
  certificate("root", { spki: root.spki, extensions: AUTHORITY_EXTENSIONS, ...changes });

function bundleOf(...authorities: Uint8Array[]): TrustBundle {
  return {
    trustDomain: parseTrustDomain("example.org"),
    x509Authorities: authorities.map(parseCertificate),
    jwtAuthorities: new Map(),
  };
}

describe("chains that hold", () => {
  const cases: [name: string, chain: Uint8Array[], ...anchors: Uint8Array[]][] = [
    ["a leaf under the root", [leafWith()], rootWith()],
    ["an intermediate authority", [underMiddle(), middleWith()], rootWith()],
    ["an intermediate that is the bundle's authority", [underMiddle()], middleWith()],
    [
      "one of several authorities",
      [leafWith()],
      middleWith(),
      rootWith({ by: stranger.key, spki: stranger.spki }),
      rootWith(),
    ],
    [
      "a path length that is kept",
      [underMiddle(), middleWith({ extensions: [SIGNS, pathLength(0)] })],
      rootWith(),
    ],
    ["no extended key usage", [leafWith({ extensions: [KEY_USAGE, NO_AUTHORITY, SAN] })], rootWith()],
  ];
  for (const [name, chain, ...anchors] of cases) {
    test(name, () => {
      const { spiffeId } = validateX509Svid(chain, bundleOf(...anchors), now);
      assert.equal(spiffeId, "spiffe://example.org/widget");
    });
  }
});

describe("chains that are refused", () => {
  const twoNames = der(0x86, Buffer.from("spiffe://example.org/a"));
  const san = (uri: string) => [
    ...LEAF_EXTENSIONS,
    extension(EXTENSION.subjectAltName, uriName(Buffer.from(uri))),
  ];
  const cases: [name: string, chain: Uint8Array[], anchor?: Uint8Array][] = [
    ["no certificate", []],
    ["nine certificates", [leafWith(), ...Array.from({ length: 8 }, () => middleWith())]],
    ["an authority of another key", [leafWith({ by: stranger.key })]],
    ["an authority of another name", [leafWith({ issuer: commonName("other") })]],
    ["an intermediate that did not sign it", [underMiddle({ by: stranger.key }), middleWith()]],
    ["an intermediate that is missing", [underMiddle()]],
    ["an intermediate that nobody trusts", [underMiddle(), middleWith({ by: stranger.key })]],
    ["certificates in the wrong order", [middleWith(), underMiddle()]],
    [
      "the root at the end of the chain, which no other root issued",
      [leafWith(), rootWith()],
      rootWith({ by: stranger.key, spki: stranger.spki }),
    ],
    [
      "a leaf that is not valid yet",
      [leafWith({ notBefore: time(now + 2 * MINUTE), notAfter: time(now + 3 * MINUTE) })],
    ],
    [
      "a leaf that has expired",
      [leafWith({ notBefore: time(now - 3 * MINUTE), notAfter: time(now - 2 * MINUTE) })],
    ],
    ["an intermediate that has expired", [underMiddle(), middleWith({ notAfter: time(now - 30_000) })]],
    ["a root that has expired", [leafWith()], rootWith({ notAfter: time(now - 30_000) })],
    ["a leaf that is an authority", [leafWith({ extensions: [KEY_USAGE, IS_AUTHORITY, SAN] })]],
    ["a leaf that may sign certificates", [leafWith({ extensions: [keyUsage(2, 0x84), NO_AUTHORITY, SAN] })]],
    [
      "a leaf that may sign revocation lists",
      [leafWith({ extensions: [keyUsage(1, 0x82), NO_AUTHORITY, SAN] })],
    ],
    ["a leaf that may not sign", [leafWith({ extensions: [keyUsage(5, 0x20), NO_AUTHORITY, SAN] })]],
    ["a leaf without key usage", [leafWith({ extensions: [NO_AUTHORITY, SAN] })]],
    ["an intermediate that is no authority", [underMiddle(), middleWith({ extensions: [SIGNS] })]],
    [
      "an intermediate that may not sign certificates",
      [underMiddle(), middleWith({ extensions: [IS_AUTHORITY, keyUsage(1, 0x02)] })],
    ],
    ["an intermediate of no key usage", [underMiddle(), middleWith({ extensions: [IS_AUTHORITY] })]],
    ["a root that is no authority", [leafWith()], rootWith({ extensions: [SIGNS] })],
    [
      "a path that is too long",
      [underMiddle(), middleWith()],
      rootWith({ extensions: [SIGNS, pathLength(0)] }),
    ],
    ["a negative path length", [underMiddle(), middleWith({ extensions: [SIGNS, pathLength(0xff)] })]],
    ["no URI name", [leafWith({ extensions: LEAF_EXTENSIONS })]],
    [
      "two URI names",
      [
        leafWith({
          extensions: [...LEAF_EXTENSIONS, extension(EXTENSION.subjectAltName, sequence(twoNames, twoNames))],
        }),
      ],
    ],
    ["an ID without a path", [leafWith({ extensions: san("spiffe://example.org") })]],
    ["an ID of a foreign trust domain", [leafWith({ extensions: san("spiffe://example.com/widget") })]],
    ["a trust domain in capitals", [leafWith({ extensions: san("spiffe://EXAMPLE.org/widget") })]],
    ["path traversal", [leafWith({ extensions: san("spiffe://example.org/widget/../admin") })]],
    ["percent-encoding", [leafWith({ extensions: san("spiffe://example.org/%61dmin") })]],
    ["another scheme", [leafWith({ extensions: san("https://example.org/widget") })]],
    ["an extension that is there twice", [leafWith({ extensions: [...LEAF_EXTENSIONS, SAN, SAN] })]],
    [
      "a critical extension that is not understood",
      [leafWith({ extensions: [...LEAF_EXTENSIONS, SAN, criticalExtension(oid("2.5.29.30"), sequence())] })],
    ],
    [
      "a FALSE that is written out",
      [
        leafWith({
          extensions: [
            ...LEAF_EXTENSIONS,
            sequence(
              EXTENSION.subjectAltName,
              der(TAG.boolean, Buffer.of(0)),
              octetString(uriName(Buffer.from("spiffe://example.org/widget"))),
            ),
          ],
        }),
      ],
    ],
    [
      "grounds that are malformed",
      [leafWith({ extensions: [...LEAF_EXTENSIONS, SAN, extension(GROUNDS, sequence())] })],
    ],
    ["something after the certificate", [Buffer.concat([leafWith(), Buffer.of(0)])]],
  ];
  for (const [name, chain, anchor = rootWith()] of cases) {
    test(name, () => assert.throws(() => validateX509Svid(chain, bundleOf(anchor), now), refused));
  }

  test("any, under an empty bundle", () => {
    assert.throws(() => validateX509Svid([leafWith()], bundleOf(), now), refused);
  });
});

test("the second in which it expires is its last", () => {
  const { notAfter } = parseCertificate(leafWith());
  validateX509Svid([leafWith()], bundleOf(rootWith()), notAfter);
  assert.throws(() => validateX509Svid([leafWith()], bundleOf(rootWith()), notAfter + 1), refused);
});

test("property: no changed byte of a leaf is taken, and none throws anything else", () => {
  const good = leafWith({ extensions: [KEY_USAGE, EXT_KEY_USAGE, NO_AUTHORITY, SAN] });
  const bundle = bundleOf(rootWith());
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ change;
      assert.throws(() => validateX509Svid([changed], bundle, now), refused);
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) =>
      assert.throws(() => parseX509Svid([bytes]), refused),
    ),
  );
});

test("a key of a kind that is not taken signs nothing that is believed", () => {
  const weak = { ...parseCertificate(rootWith()), publicKey: undefined };
  const bundle = { ...bundleOf(), x509Authorities: [weak] };
  assert.throws(() => validateX509Svid([leafWith()], bundle, now), refused);
});
