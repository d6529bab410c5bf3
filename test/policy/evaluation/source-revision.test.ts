import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digestOf } from "../../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { alone, questionAmong, relatedTo } from "../../../src/policy/question.ts";
import type { Evaluation } from "../../../src/policy/types.ts";
import type { VerifiedAttestation } from "../../../src/verify/verified-attestation.ts";
import { anArtifact, COMMIT, keySigner, releaseOf, SIGNED_AT } from "../../support/attestations.ts";
import {
  besides,
  evidenceBy,
  REVIEW,
  REVISION,
  SCAN,
  SUMMARY,
  sourceSummary,
} from "../../support/evidence.ts";
import { NOW, policyOf, RELEASE_POLICY } from "../../support/policies.ts";

const source = (vsa = "", rest = "") =>
  `{name: source, about: source, predicateTypes: ["${SUMMARY}"], signers: [{key: scs}], vsa: {verifierIds: ["https://scs.example.com/verifier"], resourceUris: ["git+https://github.com/acme/app"]${vsa}}${rest}}`;
const LEVEL_3 = besides([source(", levels: [SLSA_SOURCE_LEVEL_3]")]);
const REVIEWED = besides([
  `{name: review, about: source, predicateTypes: ["${REVIEW}"], signers: [{key: ada}, {key: bob}, {key: eve}], rules: [{name: approved, cel: predicate.result == "pass"}], require: {atLeast: 2}}`,
]);

const OTHER = "0".repeat(40);
const artifact = anArtifact();
const release = releaseOf({ artifact });

function judge(policy: typeof LEVEL_3, ...evidence: VerifiedAttestation[]): Evaluation {
  return evaluate(policy, questionAmong([policy], artifact, evidence), NOW);
}
const outcome = (policy: typeof LEVEL_3, ...evidence: VerifiedAttestation[]) =>
  judge(policy, ...evidence).outcome;
const failing = (policy: typeof LEVEL_3, ...evidence: VerifiedAttestation[]) =>
  judge(policy, ...evidence)
    .checks.filter(({ passed }) => !passed)
    .map(({ check }) => check);

describe("evidence about the source", () => {
  test("is evidence about the commit that the main attestation names", () => {
    const summary = sourceSummary();
    const evaluation = judge(LEVEL_3, release, summary);
    assert.equal(evaluation.outcome, "passed");
    assert.deepEqual(evaluation.attestations, [release.id, summary.id]);
    assert.deepEqual(evaluation.restsOn, [REVISION, digestOf("sha1", COMMIT)]);
  });

  test("by the older spelling too", () => {
    assert.equal(outcome(LEVEL_3, release, sourceSummary({ revision: digestOf("sha1", COMMIT) })), "passed");
  });

  test("by ids of the newer format", () => {
    const commit = "a".repeat(64);
    const revision = digestOf("gitCommit", commit);
    const built = releaseOf({ artifact, commit });
    assert.equal(outcome(LEVEL_3, built, sourceSummary({ revision })), "passed");
    assert.deepEqual(judge(LEVEL_3, built).restsOn, [revision]);
  });

  test("that is about another commit, or about the artifact, does not count", () => {
    for (const revision of [digestOf("gitCommit", OTHER), artifact, digestOf("gitTree", COMMIT)]) {
      const { outcome, restsOn } = judge(LEVEL_3, release, sourceSummary({ revision }));
      assert.equal(outcome, "failed");
      assert.deepEqual(restsOn, [REVISION, digestOf("sha1", COMMIT)], "it says what would turn it");
    }
    assert.deepEqual(failing(LEVEL_3, release), ["evidence.source"]);
  });

  test("is asked for by no name that is no commit's", () => {
    for (const commit of ["main", "", COMMIT.slice(1), COMMIT.toUpperCase()]) {
      const built = releaseOf({ artifact, commit });
      const question = questionAmong([LEVEL_3], artifact, [built, sourceSummary()]);
      assert.deepEqual(relatedTo([LEVEL_3], question), []);
      assert.equal(evaluate(LEVEL_3, question, NOW).outcome, "failed");
    }
  });

  test("of a lower level, of another verifier's, of another repository or failed: the nearest miss says so", () => {
    const cases = [
      [{ levels: ["SLSA_SOURCE_LEVEL_2"] }, "vsa.levels"],
      [{ signer: "other" }, "signer"],
      [{ resourceUri: "git+https://github.com/mallory/app" }, "vsa.resourceUri"],
      [{ result: "FAILED" }, "vsa.result"],
    ] as const;
    for (const [said, check] of cases) {
      assert.deepEqual(failing(LEVEL_3, release, sourceSummary(said)), [
        "evidence.source",
        `evidence.source.${check}`,
      ]);
    }
  });

  test("higher levels imply lower ones, and the highest implies two-party review", () => {
    const reviewed = besides([source(", levels: [SLSA_SOURCE_LEVEL_3, SLSA_SOURCE_TWO_PARTY_REVIEWED]")]);
    assert.equal(outcome(LEVEL_3, release, sourceSummary({ levels: ["SLSA_SOURCE_LEVEL_4"] })), "passed");
    assert.equal(outcome(reviewed, release, sourceSummary({ levels: ["SLSA_SOURCE_LEVEL_4"] })), "passed");
    assert.equal(outcome(reviewed, release, sourceSummary()), "failed");
    const levels = ["SLSA_SOURCE_LEVEL_3", "SLSA_SOURCE_TWO_PARTY_REVIEWED"];
    assert.equal(outcome(reviewed, release, sourceSummary({ levels })), "passed");
  });

  test("reviews by two people count as such, by one they do not", () => {
    const review = (who: string, result = "pass") => evidenceBy(who, REVISION, REVIEW, { result });
    assert.equal(outcome(REVIEWED, release, review("ada"), review("bob")), "passed");
    assert.deepEqual(failing(REVIEWED, release, review("ada")), ["evidence.review"]);
    assert.equal(outcome(REVIEWED, release, review("ada"), review("bob", "fail")), "failed");
    assert.equal(outcome(REVIEWED, release, review("ada"), review("mallory")), "failed");
    const elsewhere = evidenceBy("bob", digestOf("gitCommit", OTHER), REVIEW, { result: "pass" });
    assert.equal(outcome(REVIEWED, release, review("ada"), elsewhere), "failed");
  });

  test("a newer summary that failed is not hidden by an older one", () => {
    const old = sourceSummary({ time: SIGNED_AT - 1_000 });
    assert.equal(outcome(LEVEL_3, release, old, sourceSummary({ result: "FAILED" })), "failed");
    assert.equal(
      outcome(LEVEL_3, release, sourceSummary(), sourceSummary({ result: "FAILED", time: SIGNED_AT - 1 })),
      "passed",
    );
  });

  test("lends the verdict its age", () => {
    const young = besides([source("", ", maxAge: 1h")]);
    const { validUntil } = judge(young, release, sourceSummary({ time: SIGNED_AT - 1_000 }));
    assert.equal(validUntil, SIGNED_AT - 1_000 + 3_600_000);
  });

  test("that nobody verified is a fault of ours, and no evidence", () => {
    const forged = { ...sourceSummary() } as VerifiedAttestation;
    assert.throws(() => judge(LEVEL_3, release, forged), TypeError);
    const others = new Map([[REVISION, [forged]]]);
    assert.throws(() => evaluate(LEVEL_3, { ...alone(artifact, [release]), others }, NOW), TypeError);
  });

  test("a policy that asks for none looks at none", () => {
    const question = questionAmong([RELEASE_POLICY], artifact, [release, sourceSummary()]);
    assert.deepEqual(relatedTo([RELEASE_POLICY], question), []);
    assert.deepEqual(evaluate(RELEASE_POLICY, question, NOW).restsOn, []);
  });

  test("a stranger's attestation names no commit to look at", () => {
    const stranger = releaseOf({ artifact, repository: "https://github.com/mallory/app", commit: OTHER });
    const elsewhere = releaseOf({ artifact, commit: OTHER, signer: keySigner("mallory") });
    const both = [stranger, elsewhere];
    assert.deepEqual(relatedTo([LEVEL_3], questionAmong([LEVEL_3], artifact, both)), []);
    const { restsOn } = judge(LEVEL_3, stranger, release);
    assert.ok(!restsOn.includes(digestOf("gitCommit", OTHER)));
  });
});

describe("several builds of one artifact", () => {
  const rebuilt = releaseOf({ artifact, commit: OTHER, claims: {}, times: [SIGNED_AT] });
  const about = (commit: string) => sourceSummary({ revision: digestOf("gitCommit", commit) });

  test("each stands with the source that it names itself", () => {
    const passed = judge(LEVEL_3, release, rebuilt, about(OTHER));
    assert.deepEqual([passed.outcome, passed.attestations[0]], ["passed", rebuilt.id]);
    assert.deepEqual(passed.restsOn, [digestOf("gitCommit", OTHER), digestOf("sha1", OTHER)].sort());
    assert.equal(judge(LEVEL_3, release, rebuilt, about(COMMIT)).attestations[0], release.id);
    assert.equal(outcome(LEVEL_3, release, rebuilt), "failed");
  });

  test("from two references of one commit: each is held to its own", () => {
    const branch = releaseOf({ artifact, ref: "refs/heads/main" });
    const anyRef = policyOf(`
  artifacts: {names: ["**"]}
  signers: [{issuer: "https://**", identity: "https://github.com/acme/**"}]
  evidence: [${source()}]
`);
    const tagged = sourceSummary({ refs: ["refs/tags/v1.2.3"] });
    assert.equal(judge(anyRef, branch, release, tagged).attestations[0], release.id);
    assert.equal(
      judge(anyRef, branch, release, sourceSummary({ refs: ["refs/heads/main"] })).attestations[0],
      branch.id,
    );
    assert.equal(outcome(anyRef, branch, tagged), "failed");
  });

  test("what one lacks another's source does not give", () => {
    const both = besides([
      source(),
      `{name: scan, about: source, predicateTypes: ["${SCAN}"], signers: [{key: scanner}]}`,
    ]);
    const scanned = (commit: string) => evidenceBy("scanner", digestOf("gitCommit", commit), SCAN);
    assert.equal(outcome(both, release, rebuilt, about(COMMIT), scanned(OTHER)), "failed");
    assert.equal(outcome(both, release, rebuilt, about(COMMIT), scanned(OTHER), scanned(COMMIT)), "passed");
  });

  test("of very many the sources of the best 64 are asked about", () => {
    const commits = Array.from({ length: 80 }, (_, i) => `${i}`.padStart(40, "0"));
    // Each is signed at a tag of its own: of one identity the newest alone would count.
    const builds = commits.map((commit, i) => releaseOf({ artifact, commit, ref: `refs/tags/v1.0.${i}` }));
    const { restsOn } = judge(LEVEL_3, ...builds);
    assert.equal(restsOn.length, 128, "both names of each");
  });

  test("joins see the source's evidence of the build that they see", () => {
    const joined = besides(
      [source()],
      ['{name: same-repository, cel: evidence.source.predicate.resourceUri == "git+" + source.repository}'],
    );
    assert.equal(outcome(joined, release, sourceSummary()), "passed");
  });
});

describe("the references that a summary names", () => {
  const TAG = "refs/tags/v1.2.3";

  test("must hold the one that was built from", () => {
    assert.equal(outcome(LEVEL_3, release, sourceSummary({ refs: ["refs/heads/main", TAG] })), "passed");
    assert.deepEqual(failing(LEVEL_3, release, sourceSummary({ refs: ["refs/heads/dev"] })), [
      "evidence.source",
      "evidence.source.vsa.sourceRefs",
    ]);
    assert.equal(
      outcome(LEVEL_3, release, sourceSummary({ refs: [] })),
      "failed",
      "it names none that counts",
    );
  });

  test("or one that the policy asks for, which must then be named", () => {
    const main = besides([source(", sourceRefs: [refs/heads/main]")]);
    assert.equal(outcome(main, release, sourceSummary({ refs: ["refs/heads/main"] })), "passed");
    assert.equal(outcome(main, release, sourceSummary({ refs: [TAG] })), "failed");
    assert.equal(outcome(main, release, sourceSummary()), "failed");
  });

  test("a newer summary for a branch does not replace the one for the tag, and one for all does", () => {
    const tag = sourceSummary({ refs: [TAG], time: SIGNED_AT - 2_000 });
    const branch = sourceSummary({ refs: ["refs/heads/main"], result: "FAILED", time: SIGNED_AT - 1_000 });
    assert.equal(outcome(LEVEL_3, release, tag, branch), "passed");
    assert.equal(outcome(LEVEL_3, release, tag, branch, sourceSummary({ result: "FAILED" })), "failed");
  });

  test("a newer failed one for the tag among others is not hidden by an older one for the tag alone", () => {
    const old = sourceSummary({ refs: [TAG, "refs/heads/dev"], time: SIGNED_AT - 1_000 });
    const now = sourceSummary({ refs: ["refs/heads/main", TAG], result: "FAILED" });
    assert.equal(outcome(LEVEL_3, release, old, now), "failed");
  });
});
