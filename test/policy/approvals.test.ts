import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Digest, hexOf, type JsonObject, sha256 } from "../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { personOf } from "../../src/policy/person.ts";
import { alone } from "../../src/policy/question.ts";
import type { Evaluation } from "../../src/policy/types.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { anArtifact, attestationOf, keySigner, releaseOf, SIGNED_AT } from "../support/attestations.ts";
import fc from "../support/fc.ts";
import { IDENTITY, NOW, policyOf, RELEASE_SPEC } from "../support/policies.ts";

const TYPE = "https://vouchsafe.dev/approval/v1";
const POLICY = policyOf(`${RELEASE_SPEC}
  approvals:
    required: 1
    from: [{approver: dave}, {key: alice}, {key: bob}]
    expiresAfter: 1d
`);
const artifact = anArtifact();
const release = releaseOf({ artifact });

/** What a signer says of the policy, a while after the release. */
function approval(
  signer: string,
  over: JsonObject = {},
  {
    after = 1_000,
    about = artifact,
    isTimed = true,
  }: { after?: number; about?: Digest; isTimed?: boolean } = {},
): VerifiedAttestation {
  return attestationOf({
    artifact: about,
    predicateType: TYPE,
    predicate: {
      policy: { name: "p", digest: { sha256: POLICY.hash.slice("sha256:".length) } },
      attestations: [{ digest: { sha256: hexOf(release.id) } }],
      ...over,
    },
    signer: keySigner(signer),
    times: isTimed ? [SIGNED_AT + after] : [],
  });
}

function evaluated(...evidence: VerifiedAttestation[]): Evaluation {
  return evaluate(POLICY, alone(artifact, evidence), NOW);
}

const approvers = (...evidence: VerifiedAttestation[]) =>
  evaluated(release, ...evidence).approvals?.attested.map(({ approver }) => approver);

describe("an approval attestation", () => {
  test("counts by its signer, from its earliest trusted time", () => {
    const { outcome, attestations, approvals } = evaluated(release, approval("alice"));
    assert.equal(outcome, "passed");
    assert.deepEqual(attestations, [release.id], "a pass does not rest on it");
    const { approver, signedAt } = approvals?.attested[0] ?? {};
    assert.deepEqual([approver, signedAt], ["alice", SIGNED_AT + 1_000]);
  });

  const other = { digest: { sha256: "0".repeat(64) } };
  const useless: readonly (readonly [string, VerifiedAttestation])[] = [
    ["of one who may not give it", approval("mallory")],
    ["of one who may give it otherwise", approval("dave")],
    [
      "of another policy",
      approval("alice", { policy: { name: "q", digest: { sha256: hexOf(sha256("")) } } }),
    ],
    ["of another version of the policy", approval("alice", { policy: { ...other, name: "p" } })],
    ["of other evidence", approval("alice", { attestations: [other] })],
    [
      "of more evidence",
      approval("alice", { attestations: [other, { digest: { sha256: hexOf(release.id) } }] }),
    ],
    ["of no evidence", approval("alice", { attestations: [] })],
    ["that is withdrawn", approval("alice", { withdrawn: true })],
    ["with a member that is not known", approval("alice", { unless: "it rains" })],
    ["whose policy is a text", approval("alice", { policy: "p" })],
    ["whose evidence is a text", approval("alice", { attestations: [release.id] })],
    ["whose evidence is no list", approval("alice", { attestations: { 0: other } })],
    ["whose evidence has no digest", approval("alice", { attestations: [{ digest: { sha256: "A0" } }] })],
    ["whose withdrawal is no answer", approval("alice", { withdrawn: "no" })],
    ["whose reason is no text", approval("alice", { reason: 1 })],
    [
      "of more evidence than a verdict can rest on",
      approval("alice", { attestations: Array(1025).fill(other) }),
    ],
    ["about another artifact", approval("alice", {}, { about: anArtifact() })],
    ["without a trusted time", approval("alice", {}, { isTimed: false })],
  ];
  for (const [what, statement] of useless) {
    test(`is none ${what}`, () => {
      assert.deepEqual(approvers(statement), []);
    });
  }

  test("is replaced by a newer one of its signer about the policy, and by nobody else's", () => {
    const withdrawal = (signer: string, after: number) => approval(signer, { withdrawn: true }, { after });
    assert.deepEqual(approvers(approval("alice"), withdrawal("alice", 2_000)), []);
    assert.deepEqual(approvers(withdrawal("alice", 500), approval("alice")), ["alice"]);
    assert.deepEqual(
      approvers(approval("alice"), withdrawal("alice", 1_000)),
      [],
      "of two at once none is newer",
    );
    assert.deepEqual(approvers(approval("alice"), withdrawal("bob", 2_000)), ["alice"]);
    assert.deepEqual(approvers(approval("alice"), withdrawal("mallory", 2_000)), ["alice"]);
    const otherPolicy = { policy: { name: "q", digest: { sha256: hexOf(sha256("q")) } } };
    assert.deepEqual(approvers(approval("alice"), approval("alice", otherPolicy, { after: 2_000 })), [
      "alice",
    ]);
  });

  test("is taken back by a newer statement of its signer that cannot be read, and may be a withdrawal", () => {
    for (const unread of [{ withdrawn: true, ticket: 7 }, { withdrawn: "true" }, { policy: "p" }]) {
      assert.deepEqual(approvers(approval("alice"), approval("alice", unread, { after: 2_000 })), []);
      assert.deepEqual(approvers(approval("alice"), approval("alice", unread, { after: 500 })), ["alice"]);
      assert.deepEqual(approvers(approval("alice"), approval("bob", unread, { after: 2_000 })), ["alice"]);
    }
  });

  test("is evidence of nothing: neither alone nor where every signer and type is taken", () => {
    assert.deepEqual(
      evaluated(approval("alice")).checks.map(({ check }) => check),
      ["evidence"],
    );
    const anything = policyOf(`
  artifacts: {names: ["**"]}
  signers: [{key: alice}]
`);
    assert.equal(evaluate(anything, alone(artifact, [approval("alice")]), NOW).outcome, "failed");
  });

  test("makes no failed verdict pass, and in whatever order changes nothing else of a verdict", () => {
    const foreign = releaseOf({ artifact, repository: "https://github.com/evil/app" });
    const failed = evaluated(foreign, approval("alice"));
    assert.deepEqual([failed.outcome, failed.approvals], ["failed", undefined]);
    const statements = [
      approval("alice"),
      approval("bob"),
      approval("alice", { withdrawn: true }, { after: 9 }),
    ];
    const { approvals: _, ...verdict } = evaluated(release);
    const whole = evaluated(release, ...statements);
    fc.assert(
      fc.property(
        fc.shuffledSubarray([release, ...statements], { minLength: 4, maxLength: 4 }),
        (evidence) => {
          const { approvals, ...rest } = evaluated(...evidence);
          assert.deepEqual(rest, verdict);
          assert.deepEqual(approvals, whole.approvals);
        },
      ),
    );
  });
});

describe("whose approval does not count", () => {
  const provenance = (internalParameters: JsonObject, externalParameters?: JsonObject) => {
    const made = releaseOf({ artifact });
    const predicate = structuredClone(made.statement?.predicate ?? {}) as { buildDefinition: JsonObject };
    predicate.buildDefinition = {
      ...predicate.buildDefinition,
      internalParameters: { github: { event_name: "push" }, ...internalParameters },
      ...externalParameters,
    };
    return attestationOf({
      artifact,
      subjectName: "app.tar.gz",
      predicateType: "https://slsa.dev/provenance/v1",
      predicate,
      signer: made.signer,
    });
  };
  const actors = (main: VerifiedAttestation) => evaluated(main).approvals?.actors;
  const builder = IDENTITY.replace("v*", "v1.2.3");

  const named: readonly (readonly [string, JsonObject, readonly string[]])[] = [
    ["nobody but the signer", {}, []],
    ["GitHub's context", { github: { event_name: "push", actor: "octocat" } }, ["octocat"]],
    [
      "environment variables",
      { GITHUB_TRIGGERING_ACTOR: "hubot", GITHUB_ACTOR_ID: "583231", GITHUB_ACTOR: "octocat" },
      ["583231", "hubot", "octocat"],
    ],
    ["an environment as v0.2 has it", { environment: { github_actor: "octocat" } }, ["octocat"]],
    ["a number", { GITLAB_USER_ID: 42 }, ["42"]],
    ["GitLab's user", { environment: { GITLAB_USER_EMAIL: "a@acme.example" } }, ["a@acme.example"]],
    ["what is no name", { GITHUB_ACTOR: ["octocat"], github_actor: "", actor: { name: "x" } }, []],
    ["what is too long for one", { GITHUB_ACTOR: "x".repeat(321) }, []],
    ["what lies deeper", { a: { b: { actor: "octocat" } } }, []],
    ["a prototype", JSON.parse('{"__proto__": {"actor": "octocat"}}'), ["octocat"]],
  ];
  for (const [what, parameters, names] of named) {
    test(`is said by ${what}`, () => {
      const pushed = { github: { event_name: "push" }, ...parameters };
      assert.deepEqual(actors(provenance(pushed)), [builder, ...names].sort());
    });
  }

  test("is not known where more are named than builders name, so that many do not hide one", () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`job ${i}`, { actor: `actor ${i}` }]));
    assert.equal(actors(provenance(many(32)))?.length, 33);
    const { outcome, approvals } = evaluated(provenance({ ...many(32), last: { actor: "octocat" } }));
    assert.deepEqual([outcome, approvals], ["passed", undefined]);
  });

  test("is one person whatever the spelling", () => {
    const same: readonly (readonly string[])[] = [
      [
        "octocat",
        "OctoCat",
        " octocat ",
        "https://github.com/octocat",
        "https://GitHub.com/Octocat/",
        "ｏctocat",
      ],
      ["https://gitlab.com/jo", "jo"],
      [
        "https://github.com/a/b/.github/workflows/w.yml@refs/heads/main",
        "https://github.com/a/b/.github/workflows/w.yml@refs/tags/v1",
      ],
      ["carol@acme.example", "Carol@ACME.example"],
    ];
    for (const names of same) assert.equal(new Set(names.map(personOf)).size, 1, names.join(", "));
    assert.equal(new Set(same.map(([name = ""]) => personOf(name))).size, same.length);
    assert.notEqual(personOf("https://github.com/a/b"), personOf("a/b"));
  });
});
