import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTarget, type RevocationTarget, targetText } from "../../src/custody/revocation-target.ts";
import {
  revocationOf,
  revocationsAfter,
  tellingRevoked,
  withoutRevoked,
} from "../../src/custody/revocations.ts";
import { VouchsafeError } from "../../src/errors.ts";
import {
  AttestationFormatError,
  type JsonObject,
  digestOf as namedDigest,
  sha256,
} from "../../src/in-toto-attestation/index.ts";
import type { Evaluation } from "../../src/policy/types.ts";
import { sealVerified } from "../../src/verify/verified-attestation.ts";
import {
  anArtifact,
  GITHUB_ISSUER,
  HOSTED_RUNNER,
  keySigner,
  releaseOf,
  SIGNED_AT,
} from "../support/attestations.ts";
import fc from "../support/fc.ts";

const ARTIFACT = anArtifact();
const IDENTITY = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3";
const RELEASE = releaseOf({ artifact: ARTIFACT });
const BY_KEY = releaseOf({ artifact: ARTIFACT, signer: keySigner("builder") });
const time = (milliseconds: number) => new Date(milliseconds).toISOString();

function isRevoked(target: RevocationTarget, attestation = RELEASE, artifact = ARTIFACT): boolean {
  return revocationOf(attestation, artifact, [{ id: "1", target, reason: "leaked" }]) !== undefined;
}

describe("evidence that is revoked", () => {
  const covering: readonly RevocationTarget[] = [
    { attestation: RELEASE.id },
    { artifact: ARTIFACT },
    { repository: "https://github.com/acme/app" },
    { builder: HOSTED_RUNNER },
    { signer: { issuer: GITHUB_ISSUER, identity: IDENTITY } },
  ];
  for (const target of covering)
    it(`is what the ${targetText(target)} names`, () => assert.ok(isRevoked(target)));

  const others: readonly RevocationTarget[] = [
    { attestation: sha256("another") },
    { artifact: sha256("another") },
    { repository: "https://github.com/acme/app2" },
    { repository: "https://github.com/acme" },
    { repository: "https://github.com/acme/*" },
    { builder: `${HOSTED_RUNNER}/` },
    { signer: { issuer: GITHUB_ISSUER, identity: IDENTITY.replace("v1.2.3", "v1.2.4") } },
    { signer: { issuer: `${GITHUB_ISSUER}/`, identity: IDENTITY } },
    { signer: { key: IDENTITY } },
  ];
  for (const target of others)
    it(`is not what ${targetText(target)} is like`, () => assert.ok(!isRevoked(target)));

  it("is what a key of this name signed, and not what a certificate of this name did", () => {
    assert.ok(isRevoked({ signer: { key: "builder" } }, BY_KEY));
    assert.ok(!isRevoked({ signer: { key: "builder" } }));
    assert.ok(!isRevoked({ signer: { issuer: GITHUB_ISSUER, identity: "builder" } }, BY_KEY));
  });

  it("is not revoked by a repository that provenance claims, where the certificate names one", () => {
    const claiming = releaseOf({
      artifact: ARTIFACT,
      claims: { sourceRepositoryUri: "https://github.com/acme/other" },
    });
    assert.ok(isRevoked({ repository: "https://github.com/acme/other" }, claiming));
    assert.ok(!isRevoked({ repository: "https://github.com/acme/app" }, claiming), "no policy passes on it");
    assert.ok(isRevoked({ repository: "https://github.com/acme/app" }, BY_KEY), "which has no certificate");
  });

  it("is that about one artifact by any of its digests, and about no other subject", () => {
    const [strong, other] = [namedDigest("sha512", "ab".repeat(64)), anArtifact()];
    const several = sealVerified({
      ...RELEASE,
      subjects: [{ digests: [ARTIFACT, strong] }, { digests: [other] }],
    });
    assert.ok(isRevoked({ artifact: ARTIFACT }, several, strong));
    assert.ok(isRevoked({ artifact: strong }, several, ARTIFACT));
    assert.ok(!isRevoked({ artifact: ARTIFACT }, several, other));
  });

  it("lies in a window from its beginning on, and up to its end without it", () => {
    for (const of of [
      { builder: HOSTED_RUNNER },
      { signer: { issuer: GITHUB_ISSUER, identity: IDENTITY } },
    ]) {
      assert.ok(isRevoked({ ...of, from: time(SIGNED_AT) }));
      assert.ok(!isRevoked({ ...of, from: time(SIGNED_AT + 1) }));
      assert.ok(!isRevoked({ ...of, until: time(SIGNED_AT) }));
      assert.ok(isRevoked({ ...of, until: time(SIGNED_AT + 1) }));
    }
  });

  it("is what a key signed that is called something else by now", () => {
    const { signer } = BY_KEY;
    const keyId = signer.case === "key" ? signer.keyId : "";
    assert.ok(isRevoked({ signer: { key: "before", keyId } }, BY_KEY));
    assert.ok(!isRevoked({ signer: { key: "before" } }, BY_KEY));
    assert.ok(isRevoked({ signer: { key: "builder", keyId: "another" } }, BY_KEY), "a key in its place");
  });

  it("is past the end of no window where a key signed it: who had the key has it timestamped later", () => {
    assert.ok(isRevoked({ builder: HOSTED_RUNNER, until: time(SIGNED_AT) }, BY_KEY));
    assert.ok(!isRevoked({ builder: HOSTED_RUNNER, from: time(SIGNED_AT + 1) }, BY_KEY));
  });

  it("is what an attestation signed, in whatever bytes that comes", () => {
    const payload = sha256("a statement");
    const other = sealVerified({ ...RELEASE, id: sha256("respelled"), payload });
    assert.ok(!isRevoked({ attestation: RELEASE.id }, other));
    assert.ok(isRevoked({ attestation: RELEASE.id, payload }, other));
    assert.ok(isRevoked({ attestation: RELEASE.id, payload }));
    assert.ok(!isRevoked({ attestation: RELEASE.id, payload: sha256("another") }, other));
  });

  it("is inside of every window where no trusted time says when it was signed", () => {
    const untimed = releaseOf({ artifact: ARTIFACT, signer: keySigner("builder"), times: [] });
    assert.ok(isRevoked({ signer: { key: "builder" }, from: time(SIGNED_AT) }, untimed));
    assert.ok(isRevoked({ builder: HOSTED_RUNNER, until: time(0) }, untimed));
  });

  it("goes by the earliest time: a later timestamp takes nothing out of a window, and brings nothing into one", () => {
    const window = fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(window, fc.array(fc.nat(10), { maxLength: 3 }), ([start, length], later) => {
        const target = {
          builder: HOSTED_RUNNER,
          from: time(SIGNED_AT + start),
          until: time(SIGNED_AT + start + length),
        };
        const times = [SIGNED_AT, ...later.map((more) => SIGNED_AT + more).sort((a, b) => a - b)];
        const expected = start <= 0 && 0 < start + length;
        assert.equal(isRevoked(target, releaseOf({ artifact: ARTIFACT, times })), expected);
      }),
    );
  });

  it("is told by a failure, and does not make a pass fail", () => {
    const failed: Evaluation = {
      outcome: "failed",
      slsaLevel: 0,
      attestations: [],
      checks: [{ check: "signer", passed: false, expected: "", actual: "" }],
      restsOn: [],
    };
    const revoked = [
      {
        attestation: RELEASE.id,
        revocation: { id: "1", target: { attestation: RELEASE.id }, reason: "leaked" },
      },
    ];
    const { checks } = tellingRevoked(failed, revoked);
    assert.deepEqual(
      checks.map(({ check, passed }) => [check, passed]),
      [
        ["evidence.revoked", false],
        ["signer", false],
      ],
    );
    assert.equal(tellingRevoked({ ...failed, outcome: "passed" }, revoked).checks.length, 1);
  });

  it("leaves an artifact that is revoked in nothing, and what it holds in it", () => {
    const [image, layer, file] = [anArtifact(), anArtifact(), anArtifact()];
    const manifests = [
      { container: image, contained: layer, isBlob: true },
      { container: layer, contained: file, isBlob: true },
    ];
    const left = withoutRevoked(manifests, [{ id: "1", target: { artifact: layer }, reason: "" }]);
    assert.deepEqual(left, [{ container: layer, contained: file, isBlob: true }]);
  });

  it("is so from one event to the other", () => {
    const target = { artifact: ARTIFACT };
    const revoked = {
      type: "evidence.revoked",
      body: { id: "1", target, reason: "leaked", caller: "x" },
    } as const;
    const withdrawn = {
      type: "revocation.withdrawn",
      body: { id: "1", reason: "found", caller: "x" },
    } as const;
    const standing = revocationsAfter(new Map(), revoked);
    assert.deepEqual([...standing.values()], [{ id: "1", target, reason: "leaked" }]);
    assert.equal(revocationsAfter(standing, withdrawn).size, 0);
    assert.throws(() => revocationsAfter(new Map(), { ...revoked, body: {} }), { code: "malformed-leaf" });
  });
});

function isRefusal(error: unknown): boolean {
  const isOurs = error instanceof VouchsafeError || error instanceof AttestationFormatError;
  return (
    isOurs && ["invalid-request", "malformed-digest", "unsupported-digest-algorithm"].includes(error.code)
  );
}

describe("the target of a revocation", () => {
  const from = "2026-03-01T12:00:00.000Z";
  const until = "2026-03-02T12:00:00.000Z";
  const signer = { issuer: GITHUB_ISSUER, identity: IDENTITY };
  const taken: readonly JsonObject[] = [
    { attestation: ARTIFACT },
    { artifact: ARTIFACT },
    { repository: "https://github.com/acme/app" },
    { builder: HOSTED_RUNNER, from, until },
    { signer },
    { signer, from },
    { signer: { key: "builder" }, from },
  ];
  for (const target of taken)
    it(`is taken: ${JSON.stringify(target)}`, () => assert.deepEqual(parseTarget(target), target));

  it("is read from whatever a caller sends, or refused by a code", () => {
    const member = fc.oneof(fc.jsonValue(), fc.constantFrom(ARTIFACT, from, until, { key: "k" }, signer));
    const names = fc.constantFrom(
      "attestation",
      "signer",
      "builder",
      "repository",
      "artifact",
      "from",
      "until",
    );
    fc.assert(
      fc.property(fc.dictionary(names, member, { maxKeys: 3 }), (value) => {
        try {
          const target = parseTarget(value as JsonObject);
          assert.deepEqual(parseTarget(target as unknown as JsonObject), target);
          assert.deepEqual({ ...target }, { ...value });
        } catch (error) {
          assert.ok(isRefusal(error), String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });

  const refused: readonly (readonly [string, unknown])[] = [
    ["nothing", undefined],
    ["no member", {}],
    ["two members", { artifact: ARTIFACT, repository: "x" }],
    ["an unknown member", { artifact: ARTIFACT, why: "x" }],
    ["no digest", { artifact: "sha256:12" }],
    ["an empty text", { repository: "" }],
    ["a text without end", { repository: "x".repeat(2049) }],
    ["a control character", { repository: "https://github.com/acme\u0000" }],
    ["a signer without identity", { signer: { issuer: GITHUB_ISSUER } }],
    ["a signer of both kinds", { signer: { ...signer, key: "builder" } }],
    ["a window of an artifact", { artifact: ARTIFACT, from }],
    ["a time of another form", { builder: "b", from: "2026-03-01T12:00:00Z" }],
    ["a day that does not exist", { builder: "b", from: "2026-02-30T12:00:00.000Z" }],
    ["a window that ends before it begins", { builder: "b", from: until, until: from }],
    ["a window that is empty", { builder: "b", from, until: from }],
    ["an end for a key, whose signatures can be timestamped later", { signer: { key: "builder" }, until }],
  ];
  for (const [what, target] of refused) {
    it(`is refused: ${what}`, () => {
      assert.throws(() => parseTarget(target as JsonObject), isRefusal);
    });
  }
});
