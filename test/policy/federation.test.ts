import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { lintPolicies } from "../../src/policy/lint.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { Diagnostic } from "../../src/yaml/diagnostics.ts";

const WEB = `apiVersion: vouchsafe.dev/v1
kind: FederatedTrustDomain
metadata: { name: partner }
spec:
  trustDomain: partner.example
  bundleEndpointURL: https://spiffe.partner.example/bundle
  bundleEndpointProfile: { type: https_web }
`;
const SPIFFE = WEB.replace(
  "{ type: https_web }",
  '{ type: https_spiffe, endpointSPIFFEID: "spiffe://partner.example/server" }\n  trustDomainBundle: \'{"keys":[]}\'',
);
const WORKLOAD = `---
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec:
  artifacts: { names: ["**"] }
  signers: [{ key: builder }]
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: app }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: /app
  policies: [release]
  federatesWith: [partner.example]
  requesters: { issuers: [broker] }
`;

function load(text: string) {
  return loadPolicySet([{ name: "a.yaml", text }]);
}

function mistakesOf(text: string): readonly string[] {
  try {
    load(text);
    return [];
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    const { diagnostics } = error.extensions as { diagnostics: readonly Diagnostic[] };
    return diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
}

describe("a federated trust domain", () => {
  test("says where its bundle is fetched and how the endpoint is authenticated", () => {
    const { federations, workloads } = load(SPIFFE + WORKLOAD);
    const [partner] = federations.values();
    assert.deepEqual(partner?.spec.endpoint, {
      url: "https://spiffe.partner.example/bundle",
      profile: { case: "https_spiffe", endpointId: "spiffe://partner.example/server" },
    });
    assert.equal(partner?.spec.bundle?.trustDomain, "partner.example");
    assert.deepEqual(workloads.get("app")?.spec.federatesWith, ["partner.example"]);
    assert.notEqual(load(WEB).hash, load(WEB.replace("/bundle", "/other")).hash);
  });

  const refused: [what: string, text: string, mistake: RegExp][] = [
    ["http", WEB.replace("https://", "http://"), /^6:22 an https:/],
    ["user information", WEB.replace("https://", "https://me@"), /^6:22 an https:/],
    ["a URL without a profile", WEB.replace(/ {2}bundleEndpointProfile.*\n/, ""), /go together/],
    ["neither URL nor bundle", WEB.replace(/ {2}bundleEndpoint.*\n/g, ""), /nothing could be believed/],
    ["an unknown profile", WEB.replace("https_web", "https_any"), /`https_any` is not known/],
    ["https_spiffe without whom", WEB.replace("https_web", "https_spiffe"), /`endpointSPIFFEID` is missing/],
    [
      "https_spiffe without a bundle",
      SPIFFE.replace(/ {2}trustDomainBundle.*\n/, ""),
      /`trustDomainBundle` is missing/,
    ],
    ["a bundle that is none", SPIFFE.replace('{"keys":[]}', "{}"), /the trust bundle is refused/],
    [
      "an endpoint of a trust domain that nobody knows",
      SPIFFE.replace("spiffe://partner.example/", "spiffe://other.example/"),
      /no FederatedTrustDomain is of `other.example`/,
    ],
    [
      "a trust domain twice",
      `${WEB}---\n${WEB.replace("name: partner", "name: again")}`,
      /also that of one in/,
    ],
    ["a name that is no trust domain", WEB.replace("partner.example\n", "Partner\n"), /^5:16 /],
    [
      "a workload that federates with what is not there",
      WEB + WORKLOAD.replace("[partner.example]", "[partner.example, other.example]"),
      /no FederatedTrustDomain is of `other.example`/,
    ],
  ];
  for (const [what, text, mistake] of refused) {
    test(`is refused: ${what}`, () => {
      const mistakes = mistakesOf(text);
      assert.equal(mistakes.length, 1, mistakes.join("\n"));
      assert.match(mistakes[0] ?? "", mistake);
    });
  }

  test("that no workload federates with is told of", () => {
    assert.deepEqual(
      lintPolicies(load(WEB)).map(({ rule, policy }) => [rule, policy]),
      [["unused", "partner"]],
    );
    assert.ok(lintPolicies(load(WEB + WORKLOAD)).every(({ rule }) => rule !== "unused"));
  });
});
