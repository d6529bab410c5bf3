import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lintPolicies } from "../../src/policy/lint.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { at, findings, SOUND } from "../support/linted.ts";

const KEYS = `  signers:
    - key: mine
`;

describe("policies to look at", () => {
  test("a sound one gives none", () => assert.deepEqual(findings(SOUND), []));

  const cases: readonly (readonly [string, string, string, string, string])[] = [
    [
      "refs that the identity excludes",
      "    refs: [refs/tags/v*]",
      "    refs: [refs/heads/main]",
      "error never-passes",
      "https://github.com/acme/app/.github",
    ],
    [
      "a digest that cannot pass",
      '{names: ["app-*"]}',
      `{digests: ["sha1:${"0".repeat(40)}"]}`,
      "error never-passes",
      '"sha1',
    ],
    [
      "provenance that predicateTypes excludes",
      "[https://slsa.dev/provenance/v1]",
      "[https://spdx.dev/*]",
      "error never-passes",
      "[https://spdx",
    ],
    [
      "a builder by whose signers nobody signs",
      "level: 2}",
      "level: 2, signers: [{key: other}]}",
      "error never-passes",
      "[{key: other}]",
    ],
    [
      "an item that another takes",
      "[https://github.com/acme/app]",
      "[https://github.com/acme/app, https://github.com/acme/*]",
      "warning shadowed",
      "https://github.com/acme/app, https",
    ],
    [
      "the same item twice",
      "    refs: [refs/tags/v*]",
      "    refs: [refs/tags/v*, 'refs/tags/v*']",
      "warning shadowed",
      "'refs/tags/v*'",
    ],
    [
      "an identity of any organisation",
      "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*",
      "https://github.com/**",
      "warning wide-identity",
      "https://github.com/**",
    ],
    [
      "an organisation's prefix",
      "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*",
      "https://github.com/acme*/app/**",
      "warning wide-identity",
      "https://github.com/acme*",
    ],
    [
      "any address",
      "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*",
      "release@*",
      "warning wide-identity",
      "release@",
    ],
    [
      "everybody whom the issuer knows",
      "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*",
      '"**"',
      "warning open-identity",
      '"**"',
    ],
    [
      "any issuer",
      "issuer: https://token.actions.githubusercontent.com",
      "issuer: https://*",
      "warning open-issuer",
      "https://*",
    ],
  ];
  for (const [name, from, to, expected, place] of cases) {
    test(name, () => {
      assert.ok(SOUND.includes(from));
      const text = SOUND.replace(from, to);
      assert.ok(findings(text).includes(`${expected} ${at(text, place)}`), findings(text).join("\n"));
    });
  }

  test("a parameter that contradicts the source", () => {
    const text = SOUND.replace("app, ref: refs/tags/v*", "app, ref: refs/heads/main");
    assert.deepEqual(findings(text), [`error never-passes ${at(text, "refs/heads/main")}`]);
  });

  test("a parameter that names the source in other words, or only a part of it, contradicts nothing", () => {
    assert.deepEqual(findings(SOUND.replace("{repository: https", "{repository: git+https")), []);
    assert.deepEqual(findings(SOUND.replace("app, ref: refs/tags/v*", "app, branch: main")), []);
  });

  test("a predicate type that is not taken: no evidence of it gets as far as a policy", () => {
    const misspelt = SOUND.replace("slsa.dev/provenance/v1]", "slsa.dev/provenence/v1]");
    const place = at(misspelt, "https://slsa.dev");
    assert.ok(findings(misspelt).includes(`error never-passes ${place}`));
    const beside = SOUND.replace(
      "slsa.dev/provenance/v1]",
      "slsa.dev/provenance/v1, https://slsa.dev/provenence/v1]",
    );
    assert.deepEqual(findings(beside), [`warning never-passes ${at(beside, "https://slsa.dev/provenence")}`]);
    const further = `${SOUND}  evidence: [{name: scan, predicateTypes: [https://spdx.dev/Documnt], signers: [{key: a}]}]\n`;
    assert.deepEqual(findings(further), [`error never-passes ${at(further, "https://spdx.dev")}`]);
  });

  test("one builder of two is a warning: the other may pass", () => {
    const text = SOUND.replace(
      "  source:",
      "    - {id: https://ci.example.com, level: 1, signers: [{key: other}]}\n  source:",
    );
    assert.deepEqual(findings(text), [`warning never-passes ${at(text, "[{key: other}]")}`]);
  });

  test("a workflow that its own repository may call at another ref is a warning", () => {
    const text = SOUND.replace("refs: [refs/tags/v*]", "refs: [refs/heads/main]")
      .replace("ref: refs/tags/v*", "ref: refs/heads/main")
      .replace("path: .github/workflows/release.yml", "path: .github/workflows/caller.yml");
    assert.deepEqual(findings(text), [
      `warning never-passes ${at(text, "https://github.com/acme/app/.github")}`,
    ]);
  });

  test("names under an organisation, a domain or a trust domain are not too wide", () => {
    const identities = [
      "https://github.com/acme/**",
      '"*@acme.example"',
      "spiffe://acme.example/**",
      "https://gitlab.com/acme/*//.gitlab-ci.yml@refs/heads/main",
    ];
    for (const identity of identities) {
      const text = SOUND.replace(/identity: .*/, `identity: ${identity}`);
      assert.deepEqual(findings(text), [], identity);
    }
    const text = SOUND.replace(/issuer: .*/, "issuer: x509:mine").replace(
      /identity: .*/,
      'identity: "*.acme"',
    );
    assert.deepEqual(findings(text), []);
  });

  test("a version without a tag to be of", () => {
    const text = SOUND.replace("refs: [refs/tags/v*]", "refs: [refs/heads/main]\n    versionedTags: [v1]");
    assert.ok(findings(text).includes(`error never-passes ${at(text, "[refs/heads/main]")}`));
    const versioned = SOUND.replace("refs: [refs/tags/v*]", "versionedTags: [v1]");
    assert.deepEqual(findings(versioned), []);
    const branch = versioned.replace("app, ref: refs/tags/v*", "app, ref: refs/heads/main");
    assert.deepEqual(findings(branch), [`error never-passes ${at(branch, "refs/heads/main")}`]);
    const runs = versioned.replace("release.yml@refs/tags/v*", "release.yml@refs/heads/main");
    assert.deepEqual(findings(runs), [
      `error never-passes ${at(runs, "https://github.com/acme/app/.github")}`,
    ]);
  });

  test("versions that another takes, and none that it does not", () => {
    const versions = (list: string) => SOUND.replace("refs: [refs/tags/v*]", `versionedTags: ${list}`);
    const text = versions("[v1, v1.2]");
    assert.deepEqual(findings(text), [`warning shadowed ${at(text, "v1.2]")}`]);
    const reversed = versions("[v1.0, v1]");
    assert.deepEqual(findings(reversed), [`warning shadowed ${at(reversed, "v1.0, v1]")}`]);
    for (const list of ["[v1, v10]", "[v1, v1.2.3-rc.1]"]) assert.deepEqual(findings(versions(list)), []);
  });

  const SUMMARIES = `[https://slsa.dev/verification_summary/v1], signers: [{key: scs}]`;
  const VSA = "vsa: {verifierIds: [scs], resourceUris: [git+https://github.com/acme/app]}";

  test("evidence about a source that nothing names", () => {
    const required = `  evidence: [{name: s, about: source, predicateTypes: ${SUMMARIES}, ${VSA}}]\n`;
    assert.deepEqual(findings(SOUND + required), []);
    const start = SOUND.indexOf("  signers:");
    const summary = SOUND.slice(0, start) + KEYS;
    const text = `${summary}  predicateTypes: [https://spdx.dev/Document]\n${required}`;
    assert.deepEqual(findings(text), [`error never-passes ${at(text, "source, predicateTypes")}`]);
  });

  test("evidence about a source that may be anybody's", () => {
    const required = `  evidence: [{name: s, about: source, predicateTypes: ${SUMMARIES}}]\n`;
    const anybodys = `${SOUND.replace("    repositories: [https://github.com/acme/app]\n", "")}${required}`;
    assert.deepEqual(findings(anybodys), [`warning any-source ${at(anybodys, "source, predicateTypes")}`]);
    assert.deepEqual(findings(SOUND + required), []);
  });

  test("containment by the word of more than one organisation", () => {
    const text = `${SOUND}  containment: {signers: [{issuer: https://token.actions.githubusercontent.com, identity: "https://github.com/**"}]}\n`;
    assert.deepEqual(findings(text), [`warning wide-identity ${at(text, '"https://github.com/**"')}`]);
  });

  test("a key that the trust does not name is told, wherever it stands, once the trust is known", () => {
    const start = SOUND.indexOf("  signers:");
    const text = `${SOUND.slice(0, start)}${KEYS}  containment: {signers: [{key: unpaker}]}\n`;
    const set = loadPolicySet([{ name: "app.yaml", text }]);
    const told = (keys?: readonly string[]) =>
      lintPolicies(set, keys).flatMap(({ level, rule, line, message }) =>
        rule === "unknown-key" ? [`${level} ${line}: ${message}`] : [],
      );
    const line = (part: string) => text.slice(0, text.indexOf(part)).split("\n").length;
    assert.deepEqual(told(["mine", "unpacker"]), [
      `warning ${line("unpaker")}: no key of the trust document is named \`unpaker\`: did you mean \`unpacker\`?`,
    ]);
    assert.equal(told([]).length, 2);
    assert.deepEqual(told(), []);
  });

  test("keys are shadowed by name", () => {
    const start = SOUND.indexOf("  signers:");
    const text = `${SOUND.slice(0, start)}${KEYS}    - key: yours\n    - key: mine\n`;
    assert.deepEqual(findings(text), [`warning shadowed ${at(text, "key: mine")}`]);
  });

  test("what no WorkloadPolicy names is told, and what one names is not", () => {
    const told = (text: string) =>
      lintPolicies(loadPolicySet([{ name: "app.yaml", text }])).map(
        ({ rule, policy }) => `${rule} ${policy}`,
      );
    assert.deepEqual(told(SOUND), ["unnamed app"]);
    const workload = `---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: {name: app}
spec:
  selectors: ["unix:uid:1"]
  spiffeId: /app
  policies: [app]
  requesters: {issuers: [broker]}
`;
    assert.deepEqual(told(SOUND + workload), []);
  });

  test("a workload that only policies in audit mode are asked about gets nothing", () => {
    const policy = (name: string, mode: string) =>
      SOUND.replace("name: app", `name: ${name}`).replace("spec:\n", `spec:\n  mode: ${mode}\n`);
    const set = (policies: string) => `${policy("tried", "audit")}---\n${policy("held", "enforce")}---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: {name: tried}
spec:
  selectors: ["unix:uid:1"]
  spiffeId: /app
  policies: ${policies}
  requesters: {issuers: [broker]}
`;
    const text = set("[tried]");
    assert.deepEqual(findings(text), [`warning audit-only ${at(text, "[tried]")}`]);
    assert.deepEqual(findings(set("[tried, held]")), []);
  });
});
