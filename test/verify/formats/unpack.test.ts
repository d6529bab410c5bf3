import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "../../../src/in-toto-attestation/index.ts";
import { splitJsonLines, unpackEvidence } from "../../../src/verify/formats/unpack.ts";
import { bytesOf, envelope, STATEMENT } from "../envelopes.ts";

const dsseEnvelope = { ...envelope([]), signatures: [{ sig: "AA==" }] };
const bundle = { mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", dsseEnvelope };
const { predicateType } = STATEMENT;

const unpacked = (container: unknown) =>
  unpackEvidence(bytesOf(container))?.map((piece) => Buffer.from(piece).toString());

const containers: { name: string; container: object; pieces: object[] }[] = [
  {
    name: "an npm registry's attestations, whose labels fit",
    container: {
      attestations: [
        { predicateType, bundle },
        { predicateType, bundle },
      ],
    },
    pieces: [bundle, bundle],
  },
  {
    name: "attestations of GitHub's API, which labels nothing",
    container: { attestations: [{ bundle, repository_id: 1, bundle_url: "https://example.com" }] },
    pieces: [bundle],
  },
  {
    name: "PyPI's provenance",
    container: {
      version: 1,
      attestation_bundles: [
        { publisher: { kind: "GitHub" }, attestations: [{ version: 1 }, { version: 2 }] },
        { publisher: { kind: "GitLab" }, attestations: [{ version: 3 }] },
      ],
    },
    pieces: [{ version: 1 }, { version: 2 }, { version: 3 }],
  },
  {
    name: "what gcloud prints of an image",
    container: {
      image_summary: {},
      provenance_summary: {
        provenance: [{ build: {}, envelope: dsseEnvelope }, { envelope: dsseEnvelope }],
      },
    },
    pieces: [dsseEnvelope, dsseEnvelope],
  },
];
for (const { name, container, pieces } of containers) {
  test(`${name}: each piece becomes a document of its own`, () => {
    assert.deepEqual(
      unpacked(container),
      pieces.map((piece) => canonicalJson(JSON.parse(JSON.stringify(piece)))),
    );
  });
}

test("whatever is no container is left to those who read evidence", () => {
  const statement = { ...STATEMENT, predicate: { attestations: [] } };
  for (const bytes of [bytesOf(bundle), bytesOf(dsseEnvelope), bytesOf(statement), bytesOf([containers])]) {
    assert.equal(unpackEvidence(bytes), undefined);
  }
  assert.equal(unpackEvidence(Buffer.from('{"attestations":')), undefined);
});

const refused: { name: string; container: object; code: string }[] = [
  {
    name: "a label that is not the Statement's predicate type",
    container: {
      attestations: [
        { predicateType, bundle },
        { predicateType: "other", bundle },
      ],
    },
    code: "malformed-statement",
  },
  { name: "no attestation", container: { attestations: [] }, code: "unknown-evidence-format" },
  {
    name: "an attestation that is no object",
    container: { attestations: [1] },
    code: "unknown-evidence-format",
  },
  {
    name: "an attestation without a bundle",
    container: { attestations: [{}] },
    code: "unknown-evidence-format",
  },
  { name: "attestations that are no list", container: { attestations: {} }, code: "unknown-evidence-format" },
  {
    name: "a labelled bundle without an envelope",
    container: { attestations: [{ predicateType, bundle: {} }] },
    code: "malformed-envelope",
  },
  {
    name: "33 attestations",
    container: { attestations: Array(33).fill({ bundle }) },
    code: "too-many-items",
  },
  {
    name: "33 attestations in two bundles",
    container: {
      version: 1,
      attestation_bundles: [{ attestations: Array(32).fill({}) }, { attestations: [{}] }],
    },
    code: "too-many-items",
  },
  {
    name: "PyPI's provenance of another version",
    container: { version: 2, attestation_bundles: [{ attestations: [{}] }] },
    code: "unknown-evidence-format",
  },
  {
    name: "provenance without an envelope",
    container: { provenance_summary: { provenance: [{ build: {} }] } },
    code: "unknown-evidence-format",
  },
  {
    name: "a summary without provenance",
    container: { provenance_summary: [] },
    code: "unknown-evidence-format",
  },
];
for (const { name, container, code } of refused) {
  test(`a container is refused with ${name}`, () => {
    assert.throws(() => unpackEvidence(bytesOf(container)), { code });
  });
}

test("JSON Lines are split byte for byte, empty lines left out, at most 1,000", () => {
  const lines = (text: string) =>
    splitJsonLines(Buffer.from(text)).map((line) => Buffer.from(line).toString());
  assert.deepEqual(lines('{"a": 1}\r\n\n{}\n'), ['{"a": 1}', "{}"]);
  assert.equal(lines("{}\n".repeat(1000)).length, 1000);
  assert.throws(() => lines("{}\n".repeat(1001)), { code: "too-many-items" });
  assert.throws(() => lines("\r\n\n"), { code: "invalid-request" });
});
