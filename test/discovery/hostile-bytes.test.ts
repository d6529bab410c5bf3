import assert from "node:assert/strict";
import { test } from "node:test";
import { readListed } from "../../src/discovery/artifact-manifest.ts";
import { isAbout } from "../../src/discovery/found.ts";
import { parseReference } from "../../src/discovery/reference.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import fc from "../support/fc.ts";

const about = new Set([sha256("")]);
const descriptor = fc.record(
  {
    digest: fc.oneof(fc.constant(sha256("")), fc.jsonValue()),
    mediaType: fc.oneof(fc.string(), fc.jsonValue()),
    artifactType: fc.oneof(fc.string(), fc.jsonValue()),
    size: fc.oneof(fc.double(), fc.jsonValue()),
  },
  { requiredKeys: [] },
);
const listing = fc.record(
  {
    manifests: fc.oneof(fc.array(descriptor), fc.jsonValue()),
    layers: fc.oneof(fc.array(descriptor), fc.jsonValue()),
    subject: fc.oneof(descriptor, fc.jsonValue()),
  },
  { requiredKeys: [] },
);

test("any bytes are a list or none, and evidence or none", () => {
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.oneof(listing, fc.jsonValue()).map((value) => Buffer.from(JSON.stringify(value))),
  );
  fc.assert(
    fc.property(bytes, (one) => {
      for (const { digest, size } of readListed(one)?.descriptors ?? []) {
        assert.match(digest, /^sha(256|384|512):[0-9a-f]+$/);
        assert.equal(typeof size, "number");
      }
      assert.equal(isAbout(one, about), false);
    }),
  );
});

test("any text is a reference or refused", () => {
  const text = fc
    .tuple(
      fc.constantFrom("", "oci://", "npm:", "pypi:", "github:", "oci://ghcr.io/", "npm:a@1?repository_url="),
      fc.string(),
    )
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (one) => {
      try {
        const reference = parseReference(one);
        assert.notEqual(reference.host, "");
      } catch (error) {
        assert.ok(error instanceof VouchsafeError && error.code === "invalid-request", String(error));
      }
    }),
  );
});
