import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasCode } from "../../src/errors.ts";
import { matchClaims } from "../../src/policy/access-policy.ts";
import { lintPolicies } from "../../src/policy/lint.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { Diagnostic } from "../../src/yaml/diagnostics.ts";

const GITHUB = "use: github-actions, audience: vouchsafe";

function documentOf(callers: string, rule: string): string {
  return `apiVersion: vouchsafe.dev/v1
kind: AccessPolicy
metadata: { name: pipelines }
spec:
  ${callers}
  rules:
    - { ${rule} }
`;
}
const oidc = (callers: string, claims: string, given = "roles: [uploader]") =>
  documentOf(`oidc: { ${callers} }`, `claims: ${claims}, ${given}`);
const svid = (rule: string) => documentOf("svid: { trustDomain: acme.example }", rule);

function load(text: string) {
  return loadPolicySet([{ name: "a.yaml", text }]);
}

function mistakesOf(text: string): readonly string[] {
  try {
    load(text);
    return [];
  } catch (error) {
    if (!hasCode(error, "invalid-policy")) throw error;
    const { diagnostics } = error.extensions as { diagnostics: readonly Diagnostic[] };
    return diagnostics.map(({ message }) => message);
  }
}

/** The spec of a document about OIDC callers that loads. */
function specOf(text: string) {
  const spec = load(text).access.get("pipelines")?.spec;
  assert.ok(spec?.case === "oidc");
  return spec;
}

/** Whether a rule with these claims takes a token with those. */
function takes(claims: string, said: Parameters<typeof matchClaims>[1]): boolean {
  const { rules } = specOf(oidc("issuer: https://ci.example, audience: a", claims));
  return matchClaims(rules, said).case === "taken";
}

describe("an access policy", () => {
  test("names an issuer by its platform, or writes it out", () => {
    const spec = specOf(oidc(GITHUB, "{ repository: acme/widget }"));
    assert.equal(spec.issuer, "https://token.actions.githubusercontent.com");
    assert.deepEqual([spec.once, spec.platform?.name], [false, "github-actions"]);
    assert.equal(specOf(oidc("issuer: https://ci.example, audience: a", "{ team: a }")).platform, undefined);
    const own = specOf(
      oidc("use: gitlab, issuer: https://gitlab.acme.example, audience: a", "{ ref: main }"),
    );
    assert.deepEqual([own.issuer, own.platform?.name], ["https://gitlab.acme.example", "gitlab"]);
  });

  test("an earlier rule is not escaped by a claim of which its pattern does not see the end", () => {
    const { rules } = specOf(
      `${oidc(GITHUB, '{ repository: acme/widget, ref: "**-untrusted-*" }')}    - { claims: { repository: acme/widget, ref: "**" }, roles: [operator] }\n`,
    );
    const taken = (ref: string) => {
      const match = matchClaims(rules, { repository: "acme/widget", ref });
      return match.case === "taken" ? match.rule.roles : match.unmet.map(({ claim }) => claim);
    };
    assert.deepEqual(taken("x-untrusted-y"), ["uploader"]);
    assert.deepEqual(taken("main"), ["operator"]);
    assert.deepEqual(taken(`${"x".repeat(5_000)}-untrusted-y`), ["ref", "ref"]);
  });

  test("gives nothing that its rule does not say", () => {
    const { rules } = specOf(oidc(GITHUB, "{ repository: acme/widget }"));
    const match = matchClaims(rules, { repository: "acme/widget" });
    assert.ok(match.case === "taken");
    const { roles, policies, mayChoosePolicy } = match.rule;
    assert.deepEqual(
      { roles, policies, mayChoosePolicy },
      { roles: ["uploader"], policies: [], mayChoosePolicy: false },
    );
  });

  const refused: [what: string, text: string, mistake: RegExp][] = [
    [
      "neither kind of caller",
      documentOf("", "roles: [uploader]").replace("\n  \n", "\n"),
      /either `claims`/,
    ],
    ["no issuer", oidc("audience: a", "{ x: y }"), /whose tokens/],
    ["an unknown platform", oidc("use: github, audience: a", "{ x: y }"), /`github` is not known here/],
    [
      "a platform of many issuers without which",
      oidc("use: circleci, audience: a", "{ x: y }"),
      /https:\/\/oidc\.circleci\.com\/org\/ORG/,
    ],
    [
      "another issuer than the platform's",
      oidc("use: circleci, issuer: https://oidc.circleci.com, audience: a", "{ x: y }"),
      /no issuer of circleci/,
    ],
    ["an issuer by http", oidc("issuer: http://ci.example, audience: a", "{ x: y }"), /https:\/\/ URL/],
    [
      "an issuer with a query",
      oidc("issuer: 'https://ci.example?a=b', audience: a", "{ x: y }"),
      /https:\/\/ URL/,
    ],
    ["no audience", oidc("use: github-actions", "{ repository: acme/widget }"), /`audience` is missing/],
    [
      "keys that are none",
      oidc(`${GITHUB}, keys: '{}'`, "{ repository: acme/widget }"),
      /the issuer's keys are refused/,
    ],
    [
      "no key among the keys",
      oidc(`${GITHUB}, keys: '{"keys":[]}'`, "{ repository: acme/widget }"),
      /there is no key/,
    ],
    ["no claims", oidc("issuer: https://ci.example, audience: a", "{}"), /everybody whom the issuer knows/],
    [
      "claims of any value",
      oidc("issuer: https://ci.example, audience: a", "{ sub: '**' }"),
      /everybody whom the issuer knows/,
    ],
    [
      "a pointer that is none",
      oidc("issuer: https://ci.example, audience: a", "{ /a~2: b }"),
      /no JSON Pointer/,
    ],
    ["an unknown role", oidc(GITHUB, "{ repository: acme/widget }", "roles: [root]"), /`root` is not known/],
    ["the role agent", oidc(GITHUB, "{ repository: acme/widget }", "roles: [agent]"), /AgentEnrollment/],
    ["no roles", oidc(GITHUB, "{ repository: acme/widget }", "roles: []"), /the list is empty/],
    [
      "a policy that is not there",
      oidc(GITHUB, "{ repository: acme/widget }", "roles: [issuer], policies: [release]"),
      /no VerificationPolicy is named `release`/,
    ],
    ["claims of SVIDs", svid("claims: { sub: a }, roles: [uploader]"), /its rules are by `spiffeIds`/],
    [
      "SPIFFE IDs of tokens",
      documentOf(`oidc: { ${GITHUB} }`, "spiffeIds: [a], roles: [uploader]"),
      /its rules are by `claims`/,
    ],
  ];
  for (const [what, text, mistake] of refused) {
    test(`is refused: ${what}`, () => {
      const mistakes = mistakesOf(text);
      assert.equal(mistakes.length, 1, mistakes.join("\n"));
      assert.match(mistakes[0] ?? "", mistake);
    });
  }
});

describe("a rule on an issuer that many share", () => {
  const gitlab = "use: gitlab, audience: a";
  const buildkite = "use: buildkite, audience: a";
  const google = "use: google, audience: a";
  const taken: [callers: string, claims: string][] = [
    [GITHUB, "{ repository: 'acme/*' }"],
    [GITHUB, "{ repository: [acme/widget, acme/gadget] }"],
    [GITHUB, "{ repository_id: 736528123 }"],
    [GITHUB, "{ repository_owner: acme, ref: '**' }"],
    [GITHUB, "{ repository_owner_id: '9919' }"],
    [GITHUB, "{ job_workflow_ref: 'acme/workflows/.github/workflows/release.yml@*' }"],
    [GITHUB, "{ sub: 'repo:acme/widget:environment:*' }"],
    ["issuer: https://token.actions.githubusercontent.com, audience: a", "{ repository_owner: acme }"],
    [
      "use: github-actions, issuer: https://ghes.acme.example/_services/token, audience: a",
      "{ ref: refs/heads/main }",
    ],
    [gitlab, "{ project_path: 'acme/**' }"],
    [gitlab, "{ namespace_path: acme }"],
    [gitlab, "{ namespace_id: 72 }"],
    [gitlab, "{ sub: 'project_path:acme/widget:ref_type:branch:ref:*' }"],
    [buildkite, "{ organization_slug: acme, pipeline_slug: release }"],
    [buildkite, "{ sub: 'organization:acme:pipeline:**' }"],
    [
      "use: circleci, issuer: https://oidc.circleci.com/org/9b3a6c1e-51d2-4f0e-8a3c-0a1b2c3d4e5f, audience: a",
      "{ /oidc.circleci.com~1project-id: 1f }",
    ],
    [google, "{ email: deploy@acme.iam.gserviceaccount.com, email_verified: true }"],
    [google, "{ sub: '104892101919141111111' }"],
    ["use: kubernetes, issuer: https://k8s.acme.example, audience: a", "{ /kubernetes.io/namespace: ci }"],
  ];
  for (const [callers, claims] of taken) {
    test(`${callers.split(",")[0]} ${claims} names whose tokens it takes`, () => {
      assert.deepEqual(mistakesOf(oidc(callers, claims)), []);
    });
  }

  const open: [callers: string, claims: string][] = [
    [GITHUB, "{ ref: refs/heads/main }"],
    [GITHUB, "{ repository: '*/widget' }"],
    [GITHUB, "{ repository: '**' , ref: refs/heads/main }"],
    [GITHUB, "{ repository: [acme/widget, '*/gadget'] }"],
    [GITHUB, "{ repository_owner: 'acme*' }"],
    [GITHUB, "{ repository_id: '7*' }"],
    [GITHUB, "{ workflow: release, actor: alice }"],
    [GITHUB, "{ sub: 'repo:acme*/widget:**' }"],
    [GITHUB, "{ sub: environment:production }"],
    [GITHUB, "{ /repository/owner: acme }"],
    ["issuer: https://token.actions.githubusercontent.com, audience: a", "{ ref: refs/heads/main }"],
    [gitlab, "{ project_path: '*/widget' }"],
    [gitlab, "{ user_login: alice }"],
    [gitlab, "{ sub: 'project_path:**:ref_type:branch:ref:main' }"],
    [buildkite, "{ pipeline_slug: release }"],
    [google, "{ email: deploy@acme.iam.gserviceaccount.com }"],
    [google, "{ email: '*@developer.gserviceaccount.com', email_verified: true }"],
    [google, "{ email_verified: true }"],
  ];
  for (const [callers, claims] of open) {
    test(`${callers.split(",")[0]} ${claims} is refused: it names nobody's`, () => {
      assert.match(
        mistakesOf(oidc(callers, claims)).join(),
        /anybody who has an account on .+: add a claim that says whose/,
      );
    });
  }
});

describe("a claim", () => {
  const cases: [claims: string, said: Parameters<typeof matchClaims>[1], taken: boolean][] = [
    ["{ a: 'x/*' }", { a: "x/y" }, true],
    ["{ a: 'x/*' }", { a: "x/y/z" }, false],
    ["{ a: x }", { a: "xy" }, false],
    ["{ a: 7 }", { a: "7" }, true],
    ["{ a: '7' }", { a: 7 }, true],
    ["{ a: 7 }", { a: 7.5 }, false],
    ["{ a: true }", { a: true }, true],
    ["{ a: true }", { a: 1 }, false],
    ["{ a: x }", { a: ["w", "x"] }, true],
    ["{ a: x }", { a: [["x"]] }, false],
    ["{ a: [x, y] }", { a: "y" }, true],
    ["{ a: [x, y] }", { a: ["z"] }, false],
    ["{ a: x }", { a: null }, false],
    ["{ a: x }", { a: { x: "x" } }, false],
    ["{ a: x, b: y }", { a: "x" }, false],
    ["{ /a/b: x }", { a: { b: "x" } }, true],
    ["{ /a/b: x }", { "/a/b": "x" }, false],
    ["{ /a~1b/c~0: x }", { "a/b": { "c~": "x" } }, true],
    ["{ 'https://acme.example/team': x }", { "https://acme.example/team": "x" }, true],
    ["{ constructor: '**x' }", { a: "x" }, false],
  ];
  for (const [claims, said, taken] of cases) {
    test(`${claims} ${taken ? "takes" : "does not take"} ${JSON.stringify(said)}`, () => {
      assert.equal(takes(claims, said), taken);
    });
  }

  test("is one of the first rule's that takes the token; the nearest rule says what is missing", () => {
    const text = `${oidc(GITHUB, "{ repository: acme/widget, ref: main }")}    - { claims: { repository: 'acme/*' }, roles: [auditor] }
    - { claims: { repository: acme/other, ref: main, actor: bob }, roles: [operator] }
`;
    const { rules } = specOf(text);
    const first = matchClaims(rules, { repository: "acme/widget", ref: "main" });
    assert.deepEqual([first.case, first.case === "taken" && first.number], ["taken", 1]);
    const second = matchClaims(rules, { repository: "acme/widget", ref: "topic" });
    assert.deepEqual([second.case, second.case === "taken" && second.rule.roles], ["taken", ["auditor"]]);
    const none = matchClaims(rules, { repository: "evil/widget", ref: "main" });
    assert.deepEqual(none.case === "none" && none.unmet.map(({ claim }) => claim), ["repository"]);
  });
});

describe("the linter", () => {
  const more = (rule: string) => `    - { ${rule} }\n`;
  const found = (text: string) => lintPolicies(load(text)).map(({ rule, line }) => `${rule}:${line}`);
  test("tells of rules that none reaches", () => {
    const wide = oidc(GITHUB, "{ repository: 'acme/*' }");
    const narrow = more("claims: { repository: [acme/a, acme/b], ref: refs/heads/main }, roles: [operator]");
    assert.deepEqual(found(wide + narrow), ["shadowed:8"]);
    assert.deepEqual(found(wide + narrow.replace("acme/b", "other/b")), []);
    const ids = (pattern: string) => `spiffeIds: ["spiffe://acme.example/${pattern}"], roles: [issuer]`;
    assert.deepEqual(found(svid(ids("**")) + more(ids("a/*"))), ["shadowed:8", "own-trust-domain:5"]);
    assert.deepEqual(found(svid(ids("a/*")) + more(ids("**"))), ["own-trust-domain:5"]);
  });

  test("tells of workflows that anybody may call", () => {
    const workflow = "job_workflow_ref: 'acme/workflows/.github/workflows/release.yml@*'";
    assert.deepEqual(found(oidc(GITHUB, `{ ${workflow} }`)), ["any-caller:7"]);
    assert.deepEqual(found(oidc(GITHUB, `{ ${workflow}, repository_owner: acme }`)), []);
  });
});
