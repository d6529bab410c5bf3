import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Digest, digestOf, sha256 } from "../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { CONTAINMENT_CHECK } from "../../src/policy/evaluation/containment.ts";
import { type Containment, questionAmong, relatedTo } from "../../src/policy/question.ts";
import type { Evaluation } from "../../src/policy/types.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { COMMIT, releaseOf, SIGNED_AT } from "../support/attestations.ts";
import { evidenceBy, heldIn, SUMMARY, sourceSummary } from "../support/evidence.ts";
import fc from "../support/fc.ts";
import { NOW, policyOf, RELEASE_SPEC } from "../support/policies.ts";

const POLICY = policyOf(`${RELEASE_SPEC}  containment: {signers: [{key: packer}], maxAge: 1d}
  evidence:
    - name: source
      about: source
      predicateTypes: ["${SUMMARY}"]
      signers: [{key: scs}]
      vsa: {verifierIds: ["https://scs.example.com/verifier"], resourceUris: ["git+https://github.com/acme/app"], levels: [SLSA_SOURCE_LEVEL_3]}
`);

const [index, manifest, layer] = [sha256("index"), sha256("manifest"), sha256("layer")];
const COMMITS = [COMMIT, "0".repeat(40)];
const EDGES: readonly Containment[] = [
  { container: index, contained: manifest, isBlob: false },
  { container: manifest, contained: layer, isBlob: true },
  { container: index, contained: layer, isBlob: true },
];

const time = fc.integer({ min: -3, max: 0 }).map((n) => SIGNED_AT + n * 1_000);
const commit = fc.constantFrom(...COMMITS);
const anyArtifact = fc.constantFrom(index, manifest, layer);
const release = fc
  .record({ artifact: anyArtifact, commit, subjectName: fc.constantFrom("app.tar.gz", "app.tar.gz", "tool") })
  .map(releaseOf);
const revision = fc
  .tuple(fc.constantFrom("gitCommit", "sha1"), commit)
  .map(([algorithm, id]) => digestOf(algorithm, id));
const summary = fc
  .record({
    revision,
    signer: fc.constantFrom("scs", "scs", "mallory"),
    levels: fc.constantFrom(["SLSA_SOURCE_LEVEL_3"], ["SLSA_SOURCE_LEVEL_3"], ["SLSA_SOURCE_LEVEL_1"]),
    refs: fc.constantFrom(["refs/tags/v1.2.3"], ["refs/heads/main"], ["refs/heads/main", "refs/tags/v1.2.3"]),
    time,
  })
  .map(sourceSummary);
const held = fc
  .tuple(anyArtifact, anyArtifact, fc.constantFrom("packer", "packer", "mallory"), time)
  .map(([container, artifact, signer, at]) => heldIn(container, artifact, signer, at));
const unrelated = fc
  .tuple(fc.oneof(anyArtifact, revision), fc.constantFrom("scs", "packer", "mallory"), time)
  .map(([about, signer, at]) => evidenceBy(signer, about, "https://example.com/other/v1", {}, at));

const evidence = fc
  .tuple(
    fc.array(release, { minLength: 1, maxLength: 3 }),
    fc.array(summary, { minLength: 1, maxLength: 4 }),
    fc.array(held, { maxLength: 2 }),
  )
  .map((kinds) => kinds.flat());
const manifests = fc.subarray([...EDGES]);
const given = fc.record({ all: evidence, edges: manifests });
type Given = { readonly all: readonly VerifiedAttestation[]; readonly edges: readonly Containment[] };

const judge = ({ all, edges }: Given, artifact: Digest = layer): Evaluation =>
  evaluate(POLICY, questionAmong([POLICY], artifact, all, edges), NOW);
const verdict = ({ outcome, slsaLevel, attestations, restsOn, validUntil }: Evaluation) => ({
  outcome,
  slsaLevel,
  attestations,
  restsOn,
  validUntil,
});
const isAbout = (one: VerifiedAttestation, digests: ReadonlySet<Digest>) =>
  one.subjects.some((subject) => subject.digests.some((digest) => digests.has(digest)));
const runs = { numRuns: 400 };

describe("whatever is said of sources and containers", () => {
  test("some of what is tried below passes by itself, some within another, and some fails", () => {
    const outcomes = fc.sample(given, { numRuns: 400, seed: 7 }).map((one) => {
      const { outcome, checks } = judge(one);
      return `${outcome}${checks.some(({ check }) => check === "containment") ? " within" : ""}`;
    });
    assert.deepEqual([...new Set(outcomes)].sort(), ["failed", "failed within", "passed", "passed within"]);
  });

  test("its order does not matter, nor that of manifests", () => {
    const shuffled = given.chain(({ all, edges }) =>
      fc.record({
        all: fc.constant(all),
        edges: fc.constant(edges),
        otherAll: fc.shuffledSubarray([...all], { minLength: all.length }),
        otherEdges: fc.shuffledSubarray([...edges], { minLength: edges.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ otherAll, otherEdges, ...one }) => {
        assert.deepEqual(judge(one), judge({ all: otherAll, edges: otherEdges }));
      }),
      runs,
    );
  });

  test("evidence that nothing in the policy asks for changes nothing, whatever it is about", () => {
    fc.assert(
      fc.property(given, fc.array(unrelated, { maxLength: 3 }), ({ all, edges }, more) => {
        assert.deepEqual(verdict(judge({ all: [...more, ...all], edges })), verdict(judge({ all, edges })));
      }),
      runs,
    );
  });

  test("keeping back all that is said of an artifact or of a commit turns no failure into a pass", () => {
    fc.assert(
      fc.property(given, ({ all, edges }) => {
        if (judge({ all, edges }).outcome === "passed") return;
        for (const digest of new Set(all.flatMap(({ subjects }) => subjects[0]?.digests ?? []))) {
          // Of one commit by either name: what one says later, the other does not take back.
          const names = COMMITS.some((id) => digest.endsWith(id))
            ? [digestOf("gitCommit", digest.slice(-40)), digestOf("sha1", digest.slice(-40))]
            : [digest];
          const rest = all.filter((one) => !isAbout(one, new Set(names)));
          assert.equal(judge({ all: rest, edges }).outcome, "failed");
        }
      }),
      runs,
    );
  });

  test("a container more makes nothing fail that passes, and changes nothing where it passes by itself", () => {
    fc.assert(
      fc.property(given, fc.constantFrom(...EDGES), fc.oneof(release, held), ({ all, edges }, edge, more) => {
        const [before, after] = [judge({ all, edges }), judge({ all, edges: [...edges, edge] })];
        if (before.outcome === "failed") return;
        assert.equal(after.outcome, "passed");
        if (!before.checks.some(({ check }) => check === "containment")) assert.deepEqual(after, before);
        const isOwn = isAbout(more, new Set([layer]));
        if (!isOwn) assert.equal(judge({ all: [...all, more], edges }).outcome, "passed");
      }),
      runs,
    );
  });

  test("what is said of its parts makes nothing of a container", () => {
    fc.assert(
      fc.property(given, ({ all, edges }) => {
        const isOfParts = (one: VerifiedAttestation) =>
          isAbout(one, new Set([manifest, layer])) && !isAbout(one, new Set([index]));
        const downward = all.filter(
          (one) => one.statement?.predicateType !== "https://vouchsafe.dev/containment/v1",
        );
        const rest = downward.filter((one) => !isOfParts(one));
        const [whole, part] = [judge({ all: downward, edges }, index), judge({ all: rest, edges }, index)];
        assert.deepEqual(verdict(whole), verdict(part));
      }),
      runs,
    );
  });
});

/** How the artifact lies in what passed. */
function wayOf({ checks }: Evaluation): string | undefined {
  return checks.find(({ check }) => check === CONTAINMENT_CHECK)?.actual;
}

describe("what an evaluation rests on", () => {
  test("is among what it asked to be told of", () => {
    fc.assert(
      fc.property(given, ({ all, edges }) => {
        const question = questionAmong([POLICY], layer, all, edges);
        const related = new Set(relatedTo([POLICY], question));
        const { restsOn } = evaluate(POLICY, question, NOW);
        assert.deepEqual(
          restsOn.filter((digest) => !related.has(digest)),
          [],
        );
      }),
      runs,
    );
  });

  test("is all that could turn it: what is said of anything else turns nothing", () => {
    const more = fc.array(fc.oneof(release, summary, held), { maxLength: 4 });
    fc.assert(
      fc.property(given, more, manifests, ({ all, edges }, others, otherEdges) => {
        const before = judge({ all, edges });
        const known = new Set([layer, ...before.restsOn]);
        const elsewhere = others.filter((one) => !isAbout(one, known));
        const edgesElsewhere = otherEdges.filter(({ contained }) => !known.has(contained));
        const after = judge({ all: [...all, ...elsewhere], edges: [...edges, ...edgesElsewhere] });
        assert.equal(after.outcome, before.outcome);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is enough to pass again", () => {
    fc.assert(
      fc.property(given, ({ all, edges }) => {
        const before = judge({ all, edges });
        const { outcome, restsOn, attestations, validUntil = 0 } = before;
        if (outcome === "failed") return;
        const known = new Set([layer, ...restsOn]);
        const rest = all.filter((one) => isAbout(one, known));
        assert.equal(judge({ all: rest, edges }).outcome, "passed");
        const used = all.filter(({ id }) => attestations.includes(id));
        assert.equal(judge({ all: used, edges }).outcome, "passed");
        const question = questionAmong([POLICY], layer, used, edges);
        // What it was let through by has ended. Another container may be left that no statement's age ends.
        const later = evaluate(POLICY, question, validUntil);
        assert.ok(later.outcome === "failed" || wayOf(later) !== wayOf(before));
      }),
      runs,
    );
  });
});
