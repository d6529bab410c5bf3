import assert from "node:assert/strict";
import { createPublicKey, hash } from "node:crypto";
import { test } from "node:test";
import { verifyDigest } from "../../src/verify/digest-signature.ts";
import { overDigest } from "../../src/verify/signed.ts";

// The library that verifies it also signs in the other tests: this holds both to the specification.
test("Ed25519ph verifies the vector of RFC 8032 §7.3, and nothing near it", () => {
  const x = Buffer.from("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", "hex");
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: x.toString("base64url") },
    format: "jwk",
  });
  const signature = Buffer.from(
    "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41" +
      "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    "hex",
  );
  const verify = (message: string, one: Uint8Array) =>
    verifyDigest(
      key,
      { hash: "sha512", prehashed: true },
      overDigest("sha512", hash("sha512", message, "buffer")),
      one,
    );
  assert.equal(verify("abc", signature), true);
  assert.equal(verify("abd", signature), false);
  for (const at of [0, 31, 32, 63]) {
    assert.equal(
      verify(
        "abc",
        signature.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      ),
      false,
      `byte ${at}`,
    );
  }
});
