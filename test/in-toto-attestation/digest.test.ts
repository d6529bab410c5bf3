import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  algorithmOf,
  groundsAllow,
  hexOf,
  parseDigest,
  sha256,
} from "../../src/in-toto-attestation/index.ts";

const hex = (length: number) => "0123456789abcdef".repeat(8).slice(0, length);

describe("parseDigest", () => {
  test("takes known algorithms with their exact length", () => {
    for (const [algorithm, length] of [
      ["sha256", 64],
      ["sha384", 96],
      ["sha512", 128],
      ["sha1", 40],
      ["gitCommit", 40],
      ["gitCommit", 64],
    ] as const) {
      const digest = parseDigest(`${algorithm}:${hex(length)}`);
      assert.equal(algorithmOf(digest), algorithm);
      assert.equal(hexOf(digest), hex(length));
    }
  });

  const refused: [text: string, code: string][] = [
    ["", "malformed-digest"],
    ["sha256", "malformed-digest"],
    ["sha256:", "malformed-digest"],
    [`sha256:${hex(63)}`, "malformed-digest"],
    [`sha256:${hex(65)}`, "malformed-digest"],
    [`sha256:${hex(64).toUpperCase()}`, "malformed-digest"],
    [`sha256:${hex(63)}g`, "malformed-digest"],
    [`sha256:${hex(63)}\n`, "malformed-digest"],
    [` sha256:${hex(64)}`, "unsupported-digest-algorithm"],
    [`SHA256:${hex(64)}`, "unsupported-digest-algorithm"],
    [`crc32:${hex(8)}`, "unsupported-digest-algorithm"],
    [`constructor:${hex(64)}`, "unsupported-digest-algorithm"],
    [`__proto__:${hex(64)}`, "unsupported-digest-algorithm"],
  ];
  for (const [text, code] of refused) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseDigest(text), { code }));
  }
});

test("sha256 is the digest of the bytes (FIPS 180-4, the empty message)", () => {
  assert.equal(
    sha256(Buffer.alloc(0)),
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

test("only SHA-256, SHA-384 and SHA-512 ground an allow", () => {
  for (const [algorithm, length] of [
    ["sha256", 64],
    ["sha384", 96],
    ["sha512", 128],
  ] as const) {
    assert.ok(groundsAllow(parseDigest(`${algorithm}:${hex(length)}`)));
  }
  for (const [algorithm, length] of [
    ["sha1", 40],
    ["md5", 32],
    ["sha224", 56],
    ["gitCommit", 40],
    ["sha3_256", 64],
  ] as const) {
    assert.ok(!groundsAllow(parseDigest(`${algorithm}:${hex(length)}`)));
  }
});
