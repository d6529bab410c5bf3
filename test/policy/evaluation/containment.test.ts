import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Digest, digestOf, sha256 } from "../../../src/in-toto-attestation/index.ts";
import { appliesTo, evaluate } from "../../../src/policy/evaluate.ts";
import type { VerificationPolicy } from "../../../src/policy/policy.ts";
import { type Containment, questionAmong, relatedTo } from "../../../src/policy/question.ts";
import type { Evaluation } from "../../../src/policy/types.ts";
import type { VerifiedAttestation } from "../../../src/verify/verified-attestation.ts";
import { COMMIT, releaseOf, SIGNED_AT } from "../../support/attestations.ts";
import {
  besides,
  evidenceBy,
  heldIn,
  REVISION,
  SCAN,
  SUMMARY,
  sourceSummary,
} from "../../support/evidence.ts";
import { NOW, policyOf, RELEASE_POLICY, RELEASE_SPEC } from "../../support/policies.ts";

/** An image index, one of its manifests, that one's layer, and a file of the layer. */
const [index, manifest, layer, file] = ["index", "manifest", "layer", "file"].map(sha256) as [
  Digest,
  Digest,
  Digest,
  Digest,
];
const MANIFESTS: readonly Containment[] = [
  { container: index, contained: manifest, isBlob: false },
  { container: manifest, contained: layer, isBlob: true },
];
const release = releaseOf({ artifact: index });
const PACKED = policyOf(`${RELEASE_SPEC}  containment: {signers: [{key: packer}], maxAge: 7d}\n`);

interface Said {
  readonly policy?: VerificationPolicy;
  readonly manifests?: readonly Containment[];
  readonly now?: number;
}
function judge(artifact: Digest, evidence: readonly VerifiedAttestation[], said: Said = {}): Evaluation {
  const { policy = RELEASE_POLICY, manifests = MANIFESTS, now = NOW } = said;
  return evaluate(policy, questionAmong([policy], artifact, evidence, manifests), now);
}
const containmentOf = ({ checks }: Evaluation) => checks.find(({ check }) => check === "containment");

describe("what lies in an artifact that passes passes, and says why", () => {
  test("a manifest of an index", () => {
    const evaluation = judge(manifest, [release]);
    assert.deepEqual([evaluation.outcome, evaluation.slsaLevel], ["passed", 3]);
    assert.deepEqual(evaluation.attestations, [release.id]);
    assert.deepEqual(evaluation.restsOn, [index]);
    assert.equal(evaluation.validUntil, judge(index, [release]).validUntil);
    assert.equal(containmentOf(evaluation)?.actual, `in ${index} by its manifest`);
  });

  test("a layer of a manifest of an index", () => {
    const evaluation = judge(layer, [release]);
    assert.equal(evaluation.outcome, "passed");
    assert.deepEqual(evaluation.restsOn, [index, manifest].sort());
    assert.equal(
      containmentOf(evaluation)?.actual,
      `in ${manifest} by its manifest, in ${index} by its manifest`,
    );
  });

  test("the nearest that passes, and of those as near the same one each time", () => {
    const twin = sha256("twin");
    const near = releaseOf({ artifact: manifest });
    assert.deepEqual(judge(layer, [release, near]).restsOn, [manifest]);
    const twice = [...MANIFESTS, { container: twin, contained: manifest, isBlob: false }];
    const both = [release, releaseOf({ artifact: twin })];
    const first = judge(manifest, both, { manifests: twice });
    assert.deepEqual(first, judge(manifest, both.toReversed(), { manifests: twice.toReversed() }));
    assert.deepEqual(first.restsOn, [[index, twin].sort()[0]]);
  });

  test("its own evidence comes first", () => {
    const evaluation = judge(manifest, [releaseOf({ artifact: manifest }), release]);
    assert.deepEqual([evaluation.outcome, evaluation.restsOn], ["passed", []]);
    assert.equal(containmentOf(evaluation), undefined);
  });

  test("the container is asked what an artifact is asked: its name, its digest, its source", () => {
    const named = releaseOf({ artifact: index, subjectName: "tool" });
    assert.equal(judge(manifest, [named]).outcome, "failed");
    const only = (digest: Digest) =>
      policyOf(RELEASE_SPEC.replace('names: ["app.*"]', `digests: ["${digest}"]`));
    assert.equal(judge(manifest, [release], { policy: only(index) }).outcome, "passed");
    assert.equal(judge(manifest, [release], { policy: only(manifest) }).outcome, "failed");
    const sourced = besides([
      `{name: source, about: source, predicateTypes: ["${SUMMARY}"], signers: [{key: scs}]}`,
    ]);
    assert.equal(judge(manifest, [release], { policy: sourced }).outcome, "failed");
    const { outcome, restsOn } = judge(manifest, [release, sourceSummary()], { policy: sourced });
    assert.equal(outcome, "passed");
    assert.deepEqual(restsOn, [index, REVISION, digestOf("sha1", COMMIT)].sort());
  });

  test("evidence that the container needs is about the container: a scan of a layer is none of its image", () => {
    const scanned = besides([`{name: scan, predicateTypes: ["${SCAN}"], signers: [{key: scanner}]}`]);
    const scan = (artifact: Digest) => evidenceBy("scanner", artifact, SCAN);
    assert.equal(judge(manifest, [release, scan(manifest)], { policy: scanned }).outcome, "failed");
    assert.equal(judge(manifest, [release, scan(index)], { policy: scanned }).outcome, "passed");
  });
});

describe("never upward", () => {
  test("a file, a layer or a manifest that passes lets nothing pass that holds it", () => {
    const parts = [file, layer, manifest].map((artifact) => releaseOf({ artifact }));
    const evidence = [...parts, heldIn(layer, file)];
    for (const policy of [RELEASE_POLICY, PACKED]) {
      assert.equal(judge(index, evidence, { policy }).outcome, "failed");
      assert.deepEqual(relatedTo([policy], questionAmong([policy], index, evidence, MANIFESTS)), []);
    }
  });

  test("a layer that looks like a manifest holds nothing: its image was approved, and not what it names", () => {
    const named = sha256("named in the layer");
    const manifests = [...MANIFESTS, { container: layer, contained: named, isBlob: true }];
    assert.equal(judge(layer, [release], { manifests }).outcome, "passed");
    const evaluation = judge(named, [release], { manifests });
    assert.deepEqual([evaluation.outcome, evaluation.restsOn], ["failed", [layer]]);
  });

  test("nor sideways: two layers of one image are none of each other", () => {
    const other = sha256("other layer");
    const manifests = [...MANIFESTS, { container: manifest, contained: other, isBlob: true }];
    assert.equal(judge(other, [releaseOf({ artifact: layer })], { manifests }).outcome, "failed");
  });
});

test("of many manifests, some in each other, what holds each of many artifacts is found in time", () => {
  const many = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => sha256(`${name} ${i}`));
  const [artifacts, containers] = [many("artifact", 256), many("container", 64)];
  const wide = artifacts.flatMap((contained) =>
    containers.map((container) => ({ container, contained, isBlob: true })),
  );
  const deep = containers.flatMap((contained) =>
    many(`above ${contained}`, 64).map((container) => ({ container, contained, isBlob: false })),
  );
  const manifests = [...wide, ...deep];
  const since = performance.now();
  for (const artifact of artifacts.slice(0, 64)) {
    const question = { artifact, evidence: [], others: new Map(), manifests };
    assert.equal(relatedTo([RELEASE_POLICY], question).length, 64);
  }
  // Going through all of them at each step took minutes.
  assert.ok(performance.now() - since < 5_000);
});

describe("a failure", () => {
  test("says which containers were looked at, and what the nearest of them misses", () => {
    const dev = releaseOf({ artifact: index, ref: "refs/heads/dev" });
    const evaluation = judge(layer, [dev]);
    assert.equal(evaluation.outcome, "failed");
    assert.deepEqual(evaluation.restsOn, [index, manifest].sort());
    const failed = evaluation.checks.filter(({ passed }) => !passed).map(({ check }) => check);
    assert.deepEqual(failed.slice(0, 2), ["evidence", "containment"]);
    assert.ok(failed.includes("source.ref"));
    assert.match(containmentOf(evaluation)?.actual ?? "", /^it does not pass in .*, and none of 1 more$/);
  });

  test("where nothing holds it says nothing of containers", () => {
    const evaluation = judge(file, [release]);
    assert.deepEqual(
      evaluation.checks.map(({ check }) => check),
      ["evidence"],
    );
    assert.deepEqual(evaluation.restsOn, []);
  });

  test("of the container through what holds that one is none", () => {
    const failing = releaseOf({ artifact: manifest, ref: "refs/heads/dev" });
    assert.equal(judge(layer, [release, failing]).outcome, "passed");
  });
});

describe("the word of a signer", () => {
  const packed = (said: Said = {}) =>
    judge(file, [release, heldIn(layer, file)], { policy: PACKED, ...said });

  test("counts where the policy takes it, and lends the verdict its age", () => {
    const statement = heldIn(layer, file);
    const evaluation = packed();
    assert.equal(evaluation.outcome, "passed");
    assert.deepEqual(evaluation.attestations, [release.id, statement.id]);
    assert.deepEqual(evaluation.restsOn, [index, layer, manifest].sort());
    assert.equal(evaluation.validUntil, SIGNED_AT + 7 * 86_400_000);
    assert.match(
      containmentOf(evaluation)?.actual ?? "",
      /^in sha256:[0-9a-f]+ by the word of key packer, in /,
    );
    assert.equal(packed({ now: evaluation.validUntil ?? 0 }).outcome, "failed");
  });

  test("counts for nothing where the policy does not ask for it, or for another's", () => {
    assert.equal(packed({ policy: RELEASE_POLICY }).outcome, "failed");
    assert.equal(
      judge(file, [release, heldIn(layer, file, "mallory")], { policy: PACKED }).outcome,
      "failed",
    );
    const stranger = questionAmong([PACKED], file, [heldIn(layer, file, "mallory")], MANIFESTS);
    assert.deepEqual(relatedTo([PACKED], stranger), []);
  });

  test("is no evidence that the container passes", () => {
    assert.equal(judge(file, [heldIn(layer, file)], { policy: PACKED }).outcome, "failed");
  });

  test("is no evidence of anything else, whatever else its signer may say", () => {
    const trusting = policyOf('  artifacts: {names: ["**"]}\n  signers: [{key: packer}]\n');
    assert.equal(judge(file, [evidenceBy("packer", file, SCAN)], { policy: trusting }).outcome, "passed");
    assert.equal(judge(file, [heldIn(layer, file)], { policy: trusting }).outcome, "failed");
  });

  test("goes up as far as it is followed, and through circles once", () => {
    const chain = Array.from({ length: 10 }, (_, depth) => sha256(`depth ${depth}`));
    const statements = chain.slice(1).map((container, depth) => heldIn(container, chain[depth] as Digest));
    const top = (depth: number) => releaseOf({ artifact: chain[depth] as Digest });
    const start = chain[0] as Digest;
    assert.equal(judge(start, [...statements, top(8)], { policy: PACKED }).outcome, "passed");
    assert.equal(judge(start, [...statements, top(9)], { policy: PACKED }).outcome, "failed");
    const circle = [heldIn(layer, file), heldIn(file, layer)];
    assert.equal(judge(file, circle, { policy: PACKED, manifests: [] }).outcome, "failed");
    assert.deepEqual(judge(file, circle, { policy: PACKED, manifests: [] }).restsOn, [layer]);
  });

  test("about one container does not replace what was said of another", () => {
    const other = sha256("other image");
    const statements = [heldIn(layer, file, "packer", SIGNED_AT - 1_000), heldIn(other, file)];
    assert.equal(judge(file, [release, ...statements], { policy: PACKED }).outcome, "passed");
  });

  test("is bounded: the nearest 64 are looked at", () => {
    const many = Array.from({ length: 100 }, (_, i) => heldIn(sha256(`image ${i}`), file));
    assert.equal(judge(file, many, { policy: PACKED }).restsOn.length, 64);
  });
});

describe("digests that can be forged", () => {
  test("neither hold nor are held", () => {
    const weak = digestOf("sha1", "0".repeat(40));
    const manifests = [
      { container: index, contained: weak, isBlob: false },
      { container: weak, contained: file, isBlob: true },
    ];
    assert.equal(judge(weak, [release], { manifests }).outcome, "failed");
    assert.equal(judge(file, [release, releaseOf({ artifact: weak })], { manifests }).outcome, "failed");
    assert.deepEqual(judge(file, [release], { manifests }).restsOn, []);
  });
});

test("a policy applies to what lies in an artifact that it applies to", () => {
  const applies = (artifact: Digest, evidence: readonly VerifiedAttestation[], policy = RELEASE_POLICY) =>
    appliesTo(policy, questionAmong([policy], artifact, evidence, MANIFESTS));
  assert.equal(applies(layer, [release]), true);
  assert.equal(applies(layer, []), false);
  assert.equal(applies(file, [release, heldIn(layer, file)], PACKED), true);
  assert.equal(applies(file, [release, heldIn(layer, file)]), false);
});
