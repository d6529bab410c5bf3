import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  containerOf,
  digestOf,
  parseDigest,
  parseStatement,
  subjectsOf,
} from "../../src/in-toto-attestation/index.ts";
import { FUNCTION_NAMES } from "../../src/policy/cel/functions.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { lintPolicies } from "../../src/policy/lint.ts";
import { loadPolicySet, type PolicySet } from "../../src/policy/load.ts";
import type { VerificationPolicy } from "../../src/policy/policy.ts";
import { alone, questionAmong } from "../../src/policy/question.ts";
import { withShippedBuilders } from "../../src/policy-files.ts";
import { readPolicyFiles } from "../../src/services/activation/policy-directory.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import type { Signer, VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import {
  anArtifact,
  attestationOf,
  COMMIT,
  GITHUB_BUILD_TYPE,
  keySigner,
  type Release,
  releaseOf,
  SIGNED_AT,
  workflowSigner,
} from "../support/attestations.ts";
import { evidenceBy, heldIn, REVIEW, SCAN, SUMMARY, sourceSummary } from "../support/evidence.ts";

const ROOT = new URL("../../", import.meta.url);
const CORPUS = new URL("../shared/corpus/", ROOT);
const PAGE = readFileSync(new URL("docs/policy.md", ROOT), "utf8");
const NOW = SIGNED_AT + 60_000;

const shipped = loadPolicySet(
  await withShippedBuilders(await readPolicyFiles(fileURLToPath(new URL("policies/", ROOT)))),
);

function documented(): PolicySet {
  const examples = [...PAGE.matchAll(/^```yaml\n(.*?)^```$/gms)]
    .map(([, text = ""]) => text)
    // Tests of policies are run by test/cli/policy/page.test.ts.
    .filter((text) => !text.includes("kind: PolicyTest"))
    // What is no document of its own is a piece of one.
    .filter((text) => text.startsWith("apiVersion:"));
  return loadPolicySet(examples.map((text, index) => ({ name: `example-${index}`, text })));
}

function named(set: PolicySet, name: string): VerificationPolicy {
  const policy = set.policies.get(name);
  assert.ok(policy, name);
  return policy;
}

function outcome(policy: VerificationPolicy, evidence: VerifiedAttestation): string {
  const artifact = evidence.subjects[0]?.digests[0];
  assert.ok(artifact);
  return evaluate(policy, alone(artifact, [evidence]), NOW).outcome;
}

describe("each example of docs/policy.md takes what it says and nothing else", () => {
  const examples = documented();

  test("app-release", () => {
    const policy = named(examples, "app-release");
    const release = { artifact: anArtifact(), subjectName: "app-1.2.3.tar.gz" };
    assert.equal(outcome(policy, releaseOf(release)), "passed");
    assert.equal(outcome(policy, releaseOf({ ...release, subjectName: "tool-1.tar.gz" })), "failed");
    assert.equal(outcome(policy, releaseOf({ ...release, ref: "refs/heads/main" })), "failed");
    assert.equal(
      outcome(policy, releaseOf({ ...release, claims: { runnerEnvironment: "self-hosted" } })),
      "failed",
    );
  });

  test("dispatched-build", () => {
    const build = (inputs: Readonly<Record<string, string>>) => {
      const [repository, ref, path] = [
        "https://github.com/acme/app",
        "refs/heads/main",
        ".github/workflows/build.yml",
      ];
      const externalParameters = { workflow: { repository, ref, path }, inputs };
      return releaseOf({ artifact: anArtifact(), ref, workflow: path, externalParameters });
    };
    const policy = named(examples, "dispatched-build");
    assert.equal(outcome(policy, build({ channel: "beta-3", sign: "true" })), "passed");
    assert.equal(outcome(policy, build({ channel: "nightly", sign: "true" })), "failed");
    assert.equal(outcome(policy, build({ channel: "stable" })), "failed");
    assert.equal(outcome(policy, build({ channel: "stable", sign: "true", debug: "1" })), "failed");
  });

  test("shared-builder", () => {
    const builder = "https://github.com/acme/builders/.github/workflows/container.yml@refs/tags/v2";
    const built = (repository: string, builderId = builder) => {
      const [ref, commit] = ["refs/heads/main", "0".repeat(40)];
      const claims = { sourceRepositoryUri: repository, sourceRepositoryRef: ref };
      const signer = workflowSigner(builder, claims);
      return releaseOf({ artifact: anArtifact(), repository, ref, commit, builderId, signer });
    };
    const policy = named(examples, "shared-builder");
    assert.equal(outcome(policy, built("https://github.com/acme/app")), "passed");
    assert.equal(outcome(policy, built("https://github.com/evil/app")), "failed");
    assert.equal(outcome(policy, built("https://github.com/acme/app", `${builder}.1`)), "failed");
  });

  test("built-by-the-platform-team", () => {
    const builder = "https://github.com/acme/builders/.github/workflows/container.yml@refs/tags/v2";
    const built = (claims: Readonly<Record<string, string>>, builderId = builder) => {
      const repository = "https://github.com/acme/app";
      const all = { sourceRepositoryUri: repository, runnerEnvironment: "github-hosted", ...claims };
      const signer = workflowSigner(builder, all);
      return releaseOf({
        artifact: anArtifact(),
        subjectName: "ghcr.io/acme/app",
        repository,
        builderId,
        signer,
      });
    };
    const policy = named(examples, "built-by-the-platform-team");
    assert.equal(outcome(policy, built({})), "passed");
    assert.equal(outcome(policy, built({ runnerEnvironment: "self-hosted" })), "failed");
    assert.equal(outcome(policy, built({}, `${builder}.1`)), "failed");
  });

  test("scanned", () => {
    const scan = (score: string, time = SIGNED_AT) =>
      attestationOf({
        artifact: anArtifact(),
        predicateType: "https://in-toto.io/attestation/vulns/v0.2",
        predicate: { scanner: { result: [{ id: "CVE-1", severity: [{ method: "nvd", score }] }] } },
        signer: keySigner("scanner"),
        times: [time],
      });
    const policy = named(examples, "scanned");
    assert.equal(outcome(policy, scan("low")), "passed");
    for (const score of ["critical", "CRITICAL", "9.8"]) assert.equal(outcome(policy, scan(score)), "failed");
    assert.equal(outcome(policy, scan("low", NOW - 86_400_000)), "failed");
  });

  test("built-scanned-reviewed", () => {
    const artifact = anArtifact();
    const policy = named(examples, "built-scanned-reviewed");
    const [ada, bob] = ["ada@acme.example", "bob@acme.example"].map((identity): Signer => {
      return {
        case: "certificate",
        issuer: "https://accounts.google.com",
        identity,
        claims: {},
        instance: "i",
      };
    });
    const tester = workflowSigner("https://github.com/acme/app/.github/workflows/test.yml@refs/tags/v1.2.3", {
      sourceRepositoryDigest: COMMIT,
    });
    const scan = (score: string) => {
      const result = [{ id: "CVE-1", severity: [{ method: "nvd", score }] }];
      return evidenceBy("scanner", artifact, SCAN, { scanner: { result } });
    };
    const review = (by: Signer = keySigner("nobody"), commit = COMMIT) =>
      evidenceBy(by, digestOf("gitCommit", commit), REVIEW, { result: "pass" });
    const tests = (result: string) =>
      evidenceBy(tester, artifact, "https://in-toto.io/attestation/test-result/v0.1", { result });
    const good = [scan("low"), tests("PASSED"), review(ada), review(bob)];
    const failed = (...evidence: readonly VerifiedAttestation[]) => {
      const { outcome, checks } = evaluate(
        policy,
        questionAmong([policy], artifact, [releaseOf({ artifact }), ...evidence]),
        NOW,
      );
      const [first] = checks.filter(({ passed }) => !passed);
      assert.equal(outcome, first === undefined ? "passed" : "failed");
      return first?.check;
    };
    assert.equal(failed(...good), undefined);
    assert.equal(failed(...good.slice(1)), "evidence.scan");
    assert.equal(failed(...good.slice(0, 3)), "evidence.review");
    assert.equal(failed(scan("critical"), ...good.slice(1)), "evidence.scan");
    assert.equal(failed(scan("low"), tests("FAILED"), review(ada), review(bob)), "evidence.tests");
    const elsewhere = review(bob, "0".repeat(40));
    assert.equal(failed(...good.slice(0, 3), elsewhere), "evidence.review");
  });

  test("protected-source", () => {
    const policy = named(examples, "protected-source");
    const artifact = anArtifact();
    const said = {
      signer: "source-control",
      verifierId: "https://git.acme.example/verifier",
      refs: ["refs/heads/main"],
      levels: ["SLSA_SOURCE_LEVEL_4"],
    };
    const judge = (release: Partial<Release>, ...summaries: VerifiedAttestation[]) => {
      const all = [releaseOf({ artifact, ...release }), ...summaries];
      return evaluate(policy, questionAmong([policy], artifact, all), NOW).outcome;
    };
    assert.equal(judge({}, sourceSummary(said)), "passed");
    assert.equal(judge({}), "failed");
    assert.equal(judge({}, sourceSummary({ ...said, levels: ["SLSA_SOURCE_LEVEL_3"] })), "failed");
    assert.equal(judge({}, sourceSummary({ ...said, refs: ["refs/heads/dev"] })), "failed");
    assert.equal(judge({ ref: "refs/tags/v3.0.0" }, sourceSummary(said)), "failed");
    assert.equal(judge({ commit: "0".repeat(40) }, sourceSummary(said)), "failed");
  });

  test("files-of-images, and the statement of containment beside it", () => {
    const policy = named(examples, "files-of-images");
    const [, text = ""] =
      /^```json\n(.*?"https:\/\/vouchsafe.dev\/containment\/v1".*?)^```$/ms.exec(PAGE) ?? [];
    const statement = parseStatement(Buffer.from(text));
    const [{ digests: [file] = [] } = {}] = subjectsOf(statement);
    const [image] = containerOf(statement) ?? [];
    assert.ok(file && image);
    const built = releaseOf({
      artifact: image,
      subjectName: "ghcr.io/acme/app",
      ref: "refs/heads/main",
      workflow: ".github/workflows/image.yml",
    });
    const judge = (...evidence: VerifiedAttestation[]) =>
      evaluate(policy, questionAmong([policy], file, evidence), NOW).outcome;
    assert.equal(judge(built, heldIn(image, file, "unpacker")), "passed");
    assert.equal(judge(built, heldIn(image, file)), "failed");
    assert.equal(judge(built), "failed");
  });

  test("delegated", () => {
    const policy = named(examples, "delegated");
    const summary = (level: string) =>
      evidenceBy("upstream-verifier", anArtifact(), SUMMARY, {
        verifier: { id: "https://upstream.example/verifier" },
        timeVerified: "2026-03-01T11:59:00Z",
        resourceUri: "pkg:oci/acme/app@sha256:00",
        policy: { uri: "https://upstream.example/policy" },
        verificationResult: "PASSED",
        verifiedLevels: [level, "SLSA_SOURCE_LEVEL_4"],
      });
    assert.equal(outcome(policy, summary("SLSA_BUILD_LEVEL_3")), "passed");
    assert.equal(outcome(policy, summary("SLSA_BUILD_LEVEL_2")), "failed");
  });

  test("none needs a warning", () => {
    assert.deepEqual(
      lintPolicies(documented()).filter(({ level }) => level !== "info"),
      [],
    );
  });

  test("all that a rule may call is listed", () => {
    for (const name of FUNCTION_NAMES) assert.match(PAGE, new RegExp(`\`(cel\\.)?${name}\``));
  });
});

describe("the policies that are shipped", () => {
  test("github-release passes nothing as it stands, and its repository's releases once it is named", async () => {
    const policy = named(shipped, "github-release");
    const release = { artifact: anArtifact(), buildType: GITHUB_BUILD_TYPE };
    assert.equal(outcome(policy, releaseOf(release)), "failed");

    const text = readFileSync(new URL("policies/github-release.yaml", ROOT), "utf8");
    const edited = text.replaceAll("YOUR_ORG", "acme").replaceAll("YOUR_REPO", "app");
    const ours = named(
      loadPolicySet(await withShippedBuilders([{ name: "ours.yaml", text: edited }])),
      "github-release",
    );
    assert.equal(outcome(ours, releaseOf(release)), "passed");
    assert.equal(
      outcome(ours, releaseOf({ ...release, repository: "https://github.com/acme/fork" })),
      "failed",
    );
    assert.equal(outcome(ours, releaseOf({ ...release, ref: "refs/heads/v1" })), "failed");
  });

  const skip = existsSync(CORPUS) ? false : "../shared/corpus is not there";
  test("sigstore-npm passes the provenance that npm serves for sigstore 2.1.0", { skip }, () => {
    const read = (path: string) => readFileSync(new URL(path, CORPUS));
    const trustedRoot = JSON.parse(read("_trust/public-good.trusted_root.json").toString());
    const trust = createTrust({ sigstore: [{ name: "public-good", trustedRoot }], keys: [] });
    const evidence = verifyEvidence(read("cli/sigstore-js-2.1.0-bundle.json"), trust, NOW);
    const artifact = parseDigest(
      "sha512:90f223f992e4c88dd068cd2a5fc57f9d2b30798343dd6e38f29c240e04ba090ef831f84490847c4e82b9232c78e8a258463b1e55c0f7469f730265008fa6633f",
    );
    const evaluation = evaluate(named(shipped, "sigstore-npm"), alone(artifact, [evidence]), NOW);
    assert.deepEqual([evaluation.outcome, evaluation.slsaLevel], ["passed", 2]);
    assert.equal(outcome(named(shipped, "github-release"), evidence), "failed");
  });
});
