import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { oidcCallerName } from "../../src/policy/access-name.ts";
import { PLATFORMS } from "../../src/policy/access-platforms.ts";
import { approverProblem } from "../../src/policy/approvals.ts";
import { compileGlob } from "../../src/policy/glob.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { personOf } from "../../src/policy/person.ts";
import fc from "../support/fc.ts";

const policy = { name: "pipelines" };
const platform = (name: string) => PLATFORMS.find((one) => one.name === name);
const github = platform("github-actions");
const google = platform("google");
const SUB = "repo:acme/widget:environment:production";

describe("the name of a caller that an OIDC issuer knows", () => {
  const names: [
    claims: Parameters<typeof oidcCallerName>[2],
    of: typeof github,
    name: string,
    person: string,
  ][] = [
    [{ sub: SUB, actor: "Alice" }, github, `oidc:pipelines:${SUB} by Alice`, "alice"],
    [
      { sub: SUB, actor: "dependabot[bot]" },
      github,
      `oidc:pipelines:${SUB} by dependabot[bot]`,
      "dependabot[bot]",
    ],
    [{ sub: SUB, actor: "alice" }, undefined, `oidc:pipelines:${SUB}`, SUB],
    [{ sub: `${SUB} by bob`, actor: "alice" }, github, `oidc:pipelines:${SUB}%20by%20bob by alice`, "alice"],
    [{ sub: `${SUB} by bob` }, undefined, `oidc:pipelines:${SUB}%20by%20bob`, `${SUB}%20by%20bob`],
    [{ sub: SUB, actor: "a by bob" }, github, `oidc:pipelines:${SUB} by a%20by%20bob`, "a%20by%20bob"],
    [
      { sub: "1", email: "Alice@acme.example", email_verified: true },
      google,
      "oidc:pipelines:Alice@acme.example",
      "alice@acme.example",
    ],
    [{ sub: "1", email: "alice@acme.example", email_verified: false }, google, "oidc:pipelines:1", "1"],
    [{ sub: "1", email: "alice@acme.example" }, google, "oidc:pipelines:1", "1"],
    [
      { sub: "a\u202e\n%\u0000é" },
      undefined,
      "oidc:pipelines:a%E2%80%AE%0A%25%00%C3%A9",
      "a%e2%80%ae%0a%25%00%c3%a9",
    ],
  ];
  for (const [claims, of, name, person] of names) {
    test(`${name} is ${person}`, () => {
      assert.equal(oidcCallerName(policy, of, claims), name);
      assert.equal(personOf(name), person);
    });
  }

  test("is one bounded line of visible ASCII, whatever the issuer writes, and long ones differ", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 1000 }),
        fc.string({ unit: "binary" }),
        (sub, actor) => {
          const name = oidcCallerName(policy, github, { sub, actor });
          assert.match(name, /^oidc:pipelines:[\x21-\x7e]*( by [\x21-\x7e]+)?$/);
          assert.ok(name.length < 500);
        },
      ),
    );
    const long = (end: string) => oidcCallerName(policy, undefined, { sub: `${"x".repeat(400)}${end}` });
    assert.notEqual(long("a"), long("b"));
  });
});

test("an approval by a job is that of the one who had it run, if its name is among those that may", () => {
  const from = (name: string) => ({
    required: 1,
    from: [{ case: "token" as const, name: compileGlob(name) }],
    expiresAfter: 1,
  });
  const pass = {
    policy: "release",
    policyHash: "sha256:00",
    attestations: [],
    approvals: {
      actors: ["https://github.com/Alice", "https://github.com/acme/widget/.github/workflows/a.yml@b"],
      attested: [],
    },
  };
  const by = (actor: string) => oidcCallerName(policy, github, { sub: SUB, actor });
  const rule = from("oidc:pipelines:repo:acme/widget:environment:production by *");
  assert.equal(approverProblem(rule, pass, by("bob")), undefined);
  assert.match(approverProblem(rule, pass, by("alice")) ?? "", /built the artifact/);
  assert.match(approverProblem(from("alice"), pass, by("alice")) ?? "", /not among those/);
});

test("the examples of docs/access.md load", () => {
  const page = readFileSync(new URL("../../docs/access.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  const release = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec: { artifacts: { names: ["**"] }, signers: [{ key: builder }] }
`;
  const set = loadPolicySet([release, ...examples].map((text, n) => ({ name: `${n}.yaml`, text })));
  assert.deepEqual([...set.access.keys()], ["pipelines", "deployers", "brokers"]);
  for (const { name, issuer } of PLATFORMS)
    assert.match(page, new RegExp(`\\| \`${name}\` \\| ${issuer === undefined ? "your" : `\`${issuer}\``}`));
});
