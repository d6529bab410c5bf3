import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loadPolicySet } from "../../src/policy/load.ts";
import {
  matchWorkloads,
  parseRequester,
  type Requester,
  requesterName,
  spiffePath,
} from "../../src/policy/workload-policy.ts";
import { withShippedBuilders } from "../../src/policy-files.ts";
import type { Diagnostic } from "../../src/yaml/diagnostics.ts";

const RELEASE = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec:
  artifacts: { names: ["**"] }
  signers: [{ key: builder }]
`;

const WORKLOAD = `apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata:
  name: app
spec:
  selectors: ["unix:uid:1000", "unix:path:/opt/app/*"]
  spiffeId: /app/{policy}/{digest}
  policies: [release]
  ttl: { x509: 30m }
  audiences: ["https://*.example.org"]
  requesters:
    agents: ["spiffe://example.org/vouchsafe/agent/app-*"]
    issuers: [broker]
`;

function load(workload: string) {
  return loadPolicySet([
    { name: "release.yaml", text: RELEASE },
    { name: "app.yaml", text: workload },
  ]);
}

function mistakesOf(workload: string): string[] {
  try {
    load(workload);
  } catch (error) {
    const { diagnostics } = (error as { extensions: { diagnostics: Diagnostic[] } }).extensions;
    return diagnostics.map(({ file, line, column }) => `${file} ${line}:${column}`);
  }
  return [];
}

describe("loading", () => {
  test("gives what is not written its default, and makes the set another one", () => {
    const set = load(WORKLOAD);
    const { ttl } = set.workloads.get("app")?.spec ?? {};
    assert.deepEqual(ttl, { x509: 30 * 60_000, jwt: 5 * 60_000 });
    assert.deepEqual([...set.policies.keys()], ["release"]);
    assert.notEqual(set.hash, load(WORKLOAD.replace("1000", "1001")).hash);
  });

  test("lets a workload policy have the name of a verification policy, but not of another workload policy", () => {
    assert.deepEqual(mistakesOf(WORKLOAD.replace("name: app", "name: release")), []);
    assert.deepEqual(mistakesOf(`${WORKLOAD}---\n${WORKLOAD}`), ["app.yaml 18:9"]);
  });

  const mistakes: [what: string, from: string, to: string, at: string][] = [
    ["an unknown key", "  ttl:", "  tll:", "9:3"],
    ["no selector", '["unix:uid:1000", "unix:path:/opt/app/*"]', "[]", "6:14"],
    ["a policy that is not in the set", "[release]", "[release, relaese]", "8:23"],
    ["no policy", "[release]", "[]", "8:13"],
    ["a path that does not begin with a slash", "/app/{policy}", "app/{policy}", "7:13"],
    ["a path that goes up", "/app/{policy}", "/app/../{policy}", "7:13"],
    ["an empty segment", "/app/{policy}", "/app//{policy}", "7:13"],
    ["a percent sign", "/app/{policy}", "/app/%2e/{policy}", "7:13"],
    ["an unknown variable", "{policy}", "{name}", "7:13"],
    ["a whole SPIFFE ID", "spiffeId: /", "spiffeId: spiffe://example.org/", "7:13"],
    ["a path that is the service's own", "/app/{policy}/{digest}", "/vouchsafe/agent/app", "1:1"],
    ["a life that is too long", "30m", "2h", "9:16"],
    [
      "nobody who may ask",
      'agents: ["spiffe://example.org/vouchsafe/agent/app-*"]\n    issuers: [broker]',
      "{}",
      "12:5",
    ],
    ["a bad glob", "app-*", "app-[12]", "12:56"],
  ];
  for (const [what, from, to, at] of mistakes) {
    test(`refuses ${what}, and points at it`, () => {
      assert.ok(WORKLOAD.includes(from));
      assert.deepEqual(mistakesOf(WORKLOAD.replace(from, to)), [`app.yaml ${at}`]);
    });
  }

  test("refuses a path that only the policy's name makes the service's own", () => {
    const text = WORKLOAD.replace("/app/{policy}", "/{policy}").replace("name: app", "name: vouchsafe");
    assert.deepEqual(mistakesOf(text), ["app.yaml 1:1"]);
  });
});

describe("matching", () => {
  const set = load(WORKLOAD);
  const agent: Requester = { case: "agent", spiffeId: "spiffe://example.org/vouchsafe/agent/app-1" };
  const selectors = ["unix:gid:5", "unix:path:/opt/app/server", "unix:uid:1000"];
  const names = (requester: Requester, attested: readonly string[]) =>
    matchWorkloads(set, requester, attested).map(({ name }) => name);

  test("takes every selector of the policy, whatever else was attested", () => {
    assert.deepEqual(names(agent, selectors), ["app"]);
    assert.deepEqual(names(agent, selectors.slice(1)), ["app"]);
    assert.deepEqual(names(agent, selectors.slice(0, 2)), []);
    assert.deepEqual(names(agent, ["unix:uid:10000", "unix:path:/opt/app/server"]), []);
    assert.deepEqual(names(agent, ["unix:uid:1000", "unix:path:/opt/app/bin/server"]), []);
    assert.deepEqual(names(agent, []), []);
  });

  test("takes the requesters that it names, as what they are", () => {
    const asks = (requester: Requester) => names(requester, selectors).length > 0;
    assert.ok(asks({ case: "issuer", name: "broker" }));
    assert.ok(!asks({ case: "issuer", name: "brokers" }));
    assert.ok(!asks({ case: "issuer", name: agent.spiffeId }));
    assert.ok(!asks({ case: "agent", spiffeId: "broker" }));
    assert.ok(!asks({ case: "agent", spiffeId: "spiffe://example.org/vouchsafe/agent/db-1" }));
    assert.ok(!asks({ case: "agent", spiffeId: "spiffe://other.org/vouchsafe/agent/app-1" }));
  });

  test("fills the SPIFFE ID in", () => {
    const [workload] = matchWorkloads(set, agent, selectors);
    assert.ok(workload);
    assert.equal(spiffePath(workload, "0123"), "/app/app/0123");
  });

  test("a requester's name reads back as that requester", () => {
    for (const requester of [agent, { case: "issuer", name: "spiffe://x" }] satisfies Requester[]) {
      assert.deepEqual(parseRequester(requesterName(requester)), requester);
    }
  });
});

test("the example that is shipped loads beside the policy that it names", async () => {
  const files = ["github-release.yaml", "github-release-workload.yaml"].map((name) => ({
    name,
    text: readFileSync(new URL(`../../policies/${name}`, import.meta.url), "utf8"),
  }));
  const set = loadPolicySet(await withShippedBuilders(files));
  const agent: Requester = { case: "agent", spiffeId: "spiffe://vouchsafe.local/vouchsafe/agent/node-1" };
  assert.equal(matchWorkloads(set, agent, ["unix:uid:1000"]).length, 1);
});
