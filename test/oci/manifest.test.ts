import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { AttestationFormatError, sha256 } from "../../src/in-toto-attestation/index.ts";
import { MAX_CONTAINED, type Manifest, parseManifest } from "../../src/oci/manifest.ts";
import fc from "../support/fc.ts";

const OCI = "application/vnd.oci.image";
const DOCKER = "application/vnd.docker.distribution.manifest";
const [a, b, c] = [sha256("a"), sha256("b"), sha256("c")];

const part = (digest: string, mediaType = "application/x") => ({ mediaType, digest, size: 7 });
const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: [part(a), part(b)] };
const image = {
  schemaVersion: 2,
  mediaType: `${OCI}.manifest.v1+json`,
  config: part(a),
  layers: [part(b), part(c)],
};

const read = (document: unknown): Manifest => parseManifest(Buffer.from(JSON.stringify(document)));
const contained = (document: unknown) => read(document).contains;

describe("what a manifest names as its parts", () => {
  test("the manifests of an index, and the config and the layers of a manifest", () => {
    assert.deepEqual(contained(index), [a, b].sort());
    assert.deepEqual(contained(image), [a, b, c].sort());
  });

  test("of Docker's formats too", () => {
    assert.deepEqual(contained({ ...index, mediaType: `${DOCKER}.list.v2+json` }), [a, b].sort());
    assert.deepEqual(contained({ ...image, mediaType: `${DOCKER}.v2+json` }), [a, b, c].sort());
  });

  test("whatever it leaves out that it may", () => {
    const { mediaType: _, ...plain } = index;
    assert.equal(read(plain).mediaType, index.mediaType);
    const { mediaType: __, ...bare } = image;
    assert.equal(read(bare).mediaType, image.mediaType);
  });

  test("as manifests only what an index names as one: a layer may be any file, also one that looks like one", () => {
    const [manifest, list] = [`${OCI}.manifest.v1+json`, `${DOCKER}.list.v2+json`];
    const parts = [part(a, manifest), part(b, list), part(c)];
    assert.deepEqual(read({ ...index, manifests: parts }).nested, [a, b].sort());
    assert.deepEqual(read({ ...image, layers: parts }).nested, []);
  });

  test("what it is about is no part of it: who writes a signature's manifest holds no image", () => {
    assert.deepEqual(contained({ ...image, layers: [], subject: part(b) }), [a]);
  });

  test("the empty descriptor, which is in manifests of everybody, is no part either", () => {
    assert.deepEqual(
      contained({ ...image, config: part(c, "application/vnd.oci.empty.v1+json"), layers: [part(b)] }),
      [b],
    );
  });

  test("each once, as many as are taken", () => {
    assert.deepEqual(contained({ ...index, manifests: [part(a), part(a)] }), [a]);
    const many = (count: number) => ({
      ...index,
      manifests: Array.from({ length: count }, (_, i) => part(sha256(`${i}`))),
    });
    assert.equal(contained(many(MAX_CONTAINED)).length, MAX_CONTAINED);
    assert.throws(() => read(many(MAX_CONTAINED + 1)), { code: "too-many-items" });
  });
});

const MALFORMED: Readonly<Record<string, unknown>> = {
  "a list": [],
  "no schemaVersion": { ...index, schemaVersion: undefined },
  "schema 1": { ...index, schemaVersion: 1 },
  "neither kind": { schemaVersion: 2, mediaType: index.mediaType },
  "both kinds at once": { ...index, layers: [], config: part(c) },
  "both kinds, and no media type": { ...image, manifests: [], mediaType: undefined },
  "an index that says it is a manifest": { ...index, mediaType: image.mediaType },
  "another media type": { ...index, mediaType: "application/json" },
  "a media type that is no text": { ...index, mediaType: 1 },
  "a manifest without a config": { ...image, config: undefined },
  "a manifest without layers": { ...image, layers: undefined },
  "manifests that are no list": { ...index, manifests: part(a) },
  "a descriptor that is text": { ...index, manifests: [a] },
  "a descriptor without a digest": { ...index, manifests: [{ mediaType: "x", size: 1 }] },
  "a descriptor without a media type": { ...index, manifests: [{ digest: a, size: 1 }] },
  "a descriptor without a size": { ...index, manifests: [{ mediaType: "x", digest: a }] },
  "a size below nothing": { ...index, manifests: [{ ...part(a), size: -1 }] },
  "a digest in capitals": { ...index, manifests: [part(a.toUpperCase())] },
  "a digest that can be forged": { ...index, manifests: [part(`sha1:${"0".repeat(40)}`)] },
  "a digest of a commit": { ...index, manifests: [part(`gitCommit:${"0".repeat(40)}`)] },
};

describe("what is no manifest is refused with our error", () => {
  for (const [what, document] of Object.entries(MALFORMED)) {
    test(what, () => assert.throws(() => read(document), { code: "malformed-manifest" }));
  }

  test("whatever the bytes", () => {
    const anything = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record(
          {
            schemaVersion: fc.constant(2),
            manifests: fc.jsonValue(),
            config: fc.jsonValue(),
            layers: fc.jsonValue(),
          },
          { requiredKeys: ["schemaVersion"] },
        )
        .map((document) => Buffer.from(JSON.stringify(document))),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        try {
          parseManifest(bytes);
        } catch (error) {
          assert.ok(
            error instanceof VouchsafeError || error instanceof AttestationFormatError,
            String(error),
          );
        }
      }),
      { numRuns: 500 },
    );
  });
});
