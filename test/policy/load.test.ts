import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { canonicalJson, sha256 } from "../../src/in-toto-attestation/index.ts";
import { loadPolicyDocument, loadPolicySet } from "../../src/policy/load.ts";
import type { Diagnostic } from "../../src/yaml/diagnostics.ts";
import { diagnosticsOf, load, places, RELEASE } from "../support/policy-files.ts";

test("the policy that the mistakes below are made in loads", () => {
  assert.deepEqual(diagnosticsOf(RELEASE), []);
  assert.deepEqual([...load(RELEASE).policies.keys()], ["release"]);
});

describe("each mistake is pointed at", () => {
  const MISTAKES: readonly [name: string, right: string, wrong: string, ...places: string[]][] = [
    ["another API version", "dev/v1", "dev/v2", "1:13"],
    ["an unknown kind", "VerificationPolicy", "VerifcationPolicy", "2:7"],
    ["a name that is not one", "name: release", "name: Release!", "4:9"],
    ["a missing section", "spec:", "specs:", "1:1", "5:1"],
    ["an unknown key", "artifacts:", "artefacts:", "6:3", "6:3"],
    ["an empty list", '["**"]', "[]", "7:12"],
    ["a text where a list belongs", '["**"]', '"**"', "7:12"],
    ["no value at all", 'names: ["**"]', "names:", "7:11"],
    ["a misspelt key in a list", "- issuer:", "- isuer:", "9:7"],
    ["a regular expression as identity", "release.yml@refs/tags/v*", "release.yml@.*$", "10:77"],
    ["a mode that is not one", "spec:\n", "spec:\n  mode: warn\n", "6:9"],
    ["a glob of another dialect", "v*\n  maxAge", "v[0-9]*\n  maxAge", "10:86"],
    ["a quoted glob of another dialect", "[refs/tags/v*]\n  ext", '["refs/tags/{a,b}"]\n  ext', "19:23"],
    ["a duration without unit", "90d", "90", "11:11"],
    ["a duration in another unit", "90d", "90 days", "11:11"],
    ["a level beyond the last", "level: 2", "level: 5", "14:14"],
    ["a level that is text", "level: 2", 'level: "2"', "14:14"],
    ["a key together with an issuer", "- key: builder", "- {key: builder, issuer: x}", "16:11"],
    ["an issuer without identity", "- key: builder", "- issuer: x", "16:11"],
    [
      "a source that says nothing",
      "repositories: [https://github.com/acme/app]\n    refs: [refs/tags/v*]",
      "{}",
      "18:5",
    ],
    [
      "a version of a tag that is a pattern",
      "refs: [refs/tags/v*]\n  ext",
      "versionedTags: [v1.*]\n  ext",
      "19:21",
    ],
    ["a commit by a part of its id", "refs: [refs/tags/v*]\n  ext", "commits: [1f0e3dad]\n  ext", "19:15"],
    ["containment by nobody's word", "  source:", "  containment: {maxAge: 1d}\n  source:", "17:16"],
    ["a nested parameter's glob", "workflow: {ref: refs/tags/v*", "workflow: {ref: '^x'", "22:24"],
    ["a number that a double cannot keep", "retries: 3", "retries: 12345678901234567890", "22:46"],
    ["a rule's misspelt field", "source.ref.starts", "source.rf.starts", "26:19"],
    ["a rule of the wrong type", 'startsWith("refs/tags/v")', "size()", "26:12"],
    ["a rule with a banned function", "startsWith(", "matches(", "26:23"],
    ["a rule's syntax", '"refs/tags/v")', '"refs/tags/v"', "26:47"],
    [
      "a key given twice",
      "kind: VerificationPolicy",
      "kind: VerificationPolicy\nkind: VerificationPolicy",
      "3:1",
    ],
    ["an anchor", "metadata:", "metadata: &m", "4:3"],
    ["an alias", "name: release", "name: *release", "4:9"],
    ["a tag", "name: release", "name: !!str release", "4:15"],
    ["a tag of nobody", "name: release", "name: !js release", "4:9"],
    ["a tab", "  name: release", "\tname: release", "4:1"],
  ];
  for (const [name, right, wrong, ...expected] of MISTAKES) {
    test(name, () => {
      assert.ok(RELEASE.includes(right));
      assert.deepEqual(places(RELEASE.replace(right, () => wrong)), expected);
    });
  }

  test("a misspelt key is answered with the key that was meant", () => {
    const [unknown] = diagnosticsOf(RELEASE.replace("identity:", "identiy:"));
    assert.match(unknown?.message ?? "", /`identity`/);
  });
});

describe("what asks about a source in vain", () => {
  const required = (about: string, rest: string) =>
    `${RELEASE}  evidence:
    - {name: s, about: ${about}, predicateTypes: [https://slsa.dev/verification_summary/v1], signers: [{key: k}], vsa: {verifierIds: [v], resourceUris: [r]${rest}}}
`;

  test("is about neither it nor the artifact", () => {
    assert.deepEqual(diagnosticsOf(required("source", ", sourceRefs: [refs/heads/main]")), []);
    assert.deepEqual(places(required("commit", "")), ["28:24"]);
  });

  test("asks of a summary about the artifact which references pointed to a commit", () => {
    assert.deepEqual(places(required("artifact", ", sourceRefs: [refs/heads/main]")), ["28:7"]);
    const own = RELEASE.replace(
      "  source:",
      "  vsa: {verifierIds: [v], resourceUris: [r], sourceRefs: [refs/heads/main]}\n  source:",
    );
    assert.match(diagnosticsOf(own)[0]?.message ?? "", /about: source/);
  });

  test("asks for levels that SLSA does not have", () => {
    for (const level of ["SLSA_SOURCE_LEVEL_4", "SLSA_SOURCE_SCS_TWO_PARTY_REVIEW", "ORG_SOURCE_TESTED"]) {
      assert.deepEqual(diagnosticsOf(required("source", `, levels: [${level}]`)), []);
    }
    for (const level of ["SLSA_SOURCE_LEVEL_5", "SLSA_SOURCE_TWO_PARTY_REVIEW", "SLSA_SOURCE_SCS_"]) {
      assert.equal(diagnosticsOf(required("source", `, levels: [${level}]`)).length, 1, level);
    }
  });
});

describe("a rule's mistake is pointed at in the file, however the rule is written", () => {
  const WRITTEN: readonly [style: string, written: string, place: string][] = [
    ["plain", "cel: true && source.rf == 'x'", "26:27"],
    ["in double quotes", `cel: "true && source.rf == 'x'"`, "26:28"],
    ["in single quotes", `cel: 'true && source.rf == "x"'`, "26:28"],
    ["as a literal block", "cel: |\n        true &&\n          source.rf == 'x'", "28:18"],
    ["as a stripped block", "cel: |-\n\n        true &&\n        source.rf == 'x'", "29:16"],
    [
      "as a block with Windows' line ends",
      "cel: |\r\n        true &&\r\n        source.rf == 'x'\r",
      "28:16",
    ],
    // Folding moves characters: the rule itself is pointed at.
    ["as a folded block", "cel: >\n        true &&\n        source.rf == 'x'", "26:12"],
  ];
  for (const [style, written, place] of WRITTEN) {
    test(style, () => {
      const text = RELEASE.replace('cel: source.ref.startsWith("refs/tags/v")', () => written);
      assert.deepEqual(places(text), [place]);
    });
  }
});

describe("all mistakes are listed at once", () => {
  test("of one document", () => {
    const text = RELEASE.replace("level: 2", "level: 9")
      .replace("90d", "soon")
      .replace("name: pushed", "nme: pushed")
      .replace("refs: [refs/tags/v*]", "refs: ['v[1]']");
    assert.deepEqual(places(text), ["11:11", "14:14", "19:14", "25:7", "25:7"]);
  });

  test("of all files, with their names", () => {
    const files = [
      { name: "b.yaml", text: "kind: [" },
      { name: "a.yaml", text: RELEASE.replace("level: 2", "level: 0") },
    ];
    assert.throws(
      () => loadPolicySet(files),
      (error) =>
        error instanceof VouchsafeError &&
        new Set((error.extensions.diagnostics as Diagnostic[]).map(({ file }) => file)).size === 2,
    );
  });

  test("of every document of a file", () => {
    const wrong = RELEASE.replace("level: 2", "level: 0");
    assert.deepEqual(places(`${wrong}---\n${wrong}`), ["14:14", "41:14"]);
  });
});

describe("names are unique", () => {
  test("of policies, over all files", () => {
    assert.deepEqual(places(RELEASE, RELEASE), ["4:9"]);
    const renamed = RELEASE.replace("name: release", "name: other");
    assert.deepEqual([...load(RELEASE, renamed).policies.keys()], ["release", "other"]);
  });

  test("of rules in a policy", () => {
    assert.deepEqual(places(`${RELEASE}    - name: pushed\n      cel: "true"\n`), ["25:5"]);
  });

  test("of files", () => {
    const files = [
      { name: "a.yaml", text: "" },
      { name: "a.yaml", text: "" },
    ];
    assert.throws(() => loadPolicySet(files), VouchsafeError);
  });
});

describe("the hash of a policy names what it demands", () => {
  const hashOf = (text: string) => load(text).policies.get("release")?.hash;

  test("comments, layout and the order of keys are not part of it", () => {
    const other = RELEASE.replace("spec:", "# a comment\nspec:").replace(
      "repositories: [https://github.com/acme/app]\n    refs: [refs/tags/v*]",
      "refs:\n    - refs/tags/v*\n    repositories: ['https://github.com/acme/app']",
    );
    assert.equal(hashOf(other), hashOf(RELEASE));
  });

  test("every value is", () => {
    for (const [from, to] of [
      ["90d", "91d"],
      ["level: 2", "level: 3"],
      ["[inputs]", "[input]"],
      ['"refs/tags/v"', '"refs/tags/w"'],
    ] as const) {
      assert.notEqual(hashOf(RELEASE.replace(from, to)), hashOf(RELEASE), `${from} → ${to}`);
    }
  });

  test("the hash of a set binds the texts too, whatever the order of files", () => {
    const renamed = RELEASE.replace("name: release", "name: other");
    const set = loadPolicySet([
      { name: "a", text: RELEASE },
      { name: "b", text: renamed },
    ]);
    const turned = loadPolicySet([
      { name: "b", text: renamed },
      { name: "a", text: RELEASE },
    ]);
    assert.equal(turned.hash, set.hash);
    assert.notEqual(load(`${RELEASE}# a comment\n`).hash, load(RELEASE).hash);
    assert.notEqual(load(RELEASE).hash, load().hash);
  });

  test("the hash of a set is what its comment says", () => {
    const { hash, document, documentHash, policies } = load(RELEASE);
    assert.equal(documentHash, sha256(document));
    assert.equal(new TextDecoder().decode(document), canonicalJson([{ name: "0.yaml", text: RELEASE }]));
    const hashes = [...policies.values()].map((policy) => ({ name: policy.name, hash: policy.hash }));
    assert.equal(hash, sha256(canonicalJson({ document: documentHash, policies: hashes })));
  });

  test("a set loads from its document again", () => {
    const set = load(RELEASE, "# nothing\n---\n");
    const again = loadPolicyDocument(set.document);
    assert.equal(again.hash, set.hash);
    assert.equal(again.documentHash, set.documentHash);
    for (const text of ["", "{}", '[{"name":"a"}]', "[1]", '{"a":']) {
      assert.throws(
        () => loadPolicyDocument(new TextEncoder().encode(text)),
        (error) => error instanceof VouchsafeError && error.code === "invalid-policy",
      );
    }
  });
});
