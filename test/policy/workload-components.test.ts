import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { policiesFor, policiesOf } from "../../src/policy/components.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { pathFor, type WorkloadSpec } from "../../src/policy/workload-policy.ts";
import type { Diagnostic } from "../../src/yaml/diagnostics.ts";

const POLICIES = ["release", "weights"]
  .map(
    (name) => `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: ${name} }
spec: { artifacts: { names: ["**"] }, signers: [{ key: builder }] }
`,
  )
  .join("---\n");

const AGENT = `apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: agent }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: /agent/{digest}
  components:
    image: { policies: [release] }
    model: { policies: [weights, release], files: ["/models/*.safetensors"] }
  requesters: { issuers: [broker] }
`;

/** As plain objects, for comparing. */
function asked(spec: WorkloadSpec | undefined) {
  return [...(spec?.components ?? [])].map(([name, demand]) => [name, { ...demand }]);
}

function load(text: string) {
  return loadPolicySet([
    { name: "policies.yaml", text: POLICIES },
    { name: "agent.yaml", text },
  ]);
}

test("components are read in the document's order; one list of policies is the executable's", () => {
  const spec = load(AGENT).workloads.get("agent")?.spec;
  assert.ok(spec);
  assert.deepEqual(asked(spec), [
    ["image", { policies: ["release"] }],
    ["model", { policies: ["weights", "release"], files: ["/models/*.safetensors"] }],
  ]);
  assert.deepEqual(policiesOf(spec), ["release", "weights"]);
  const short = AGENT.replace(/ {2}components:[\s\S]*(?= {2}requesters)/, "  policies: [release]\n");
  assert.deepEqual(asked(load(short).workloads.get("agent")?.spec), [
    ["executable", { policies: ["release"] }],
  ]);
});

test("a digest is judged by the policies of the components that it is in, and the first names the SPIFFE ID", () => {
  const agent = load(AGENT).workloads.get("agent");
  assert.ok(agent);
  const [image, model] = [sha256("image"), sha256("model")];
  const demanded = new Map([
    ["image", [image]],
    ["model", [model]],
  ]);
  assert.deepEqual(policiesFor(agent.spec, demanded, image), ["release"]);
  assert.deepEqual(policiesFor(agent.spec, demanded, model), ["weights", "release"]);
  assert.equal(pathFor(agent, demanded), `/agent/${image.slice("sha256:".length)}`);
  assert.equal(pathFor(agent, new Map([["model", [model]]])), undefined);
});

describe("refused, and pointed at:", () => {
  const files = 'files: ["/models/*.safetensors"]';
  const mistakes: [what: string, from: string, to: string, at: string][] = [
    ["both forms", "  components:", "  policies: [release]\n  components:", "5:3"],
    ["neither form", / {2}components:[\s\S]*(?= {2}requesters)/.exec(AGENT)?.[0] ?? "?", "", "5:3"],
    ["no component", /:\n {4}image[\s\S]*(?= {2}requesters)/.exec(AGENT)?.[0] ?? "?", ": {}\n", "7:15"],
    ["a name that is none", "model:", "Model/x:", "8:5"],
    ["an unknown policy", "[weights,", "[weight,", "9:25"],
    [
      "an image of files",
      "image: { policies: [release] }",
      `image: { policies: [release], ${files} }`,
      "8:5",
    ],
    ["a relative path", "/models/*", "models/*", "9:53"],
    ["a glob of directories", "/models/*.", "/*/a.", "9:54"],
    ["no file", files, "files: []", "9:51"],
  ];
  for (const [what, from, to, at] of mistakes) {
    test(what, () => {
      assert.ok(AGENT.includes(from));
      assert.deepEqual(mistakesOf(AGENT.replace(from, to)), [`agent.yaml ${at}`]);
    });
  }

  test("a SPIFFE ID that names one digest of what may be several files", () => {
    const renamed = AGENT.replace(/ {4}image.*\n/, "");
    assert.deepEqual(mistakesOf(renamed), ["agent.yaml 1:1"]);
    assert.deepEqual(mistakesOf(renamed.replace("*.safetensors", "weights")), []);
    assert.deepEqual(mistakesOf(renamed.replace("/{digest}", "")), []);
  });
});

function mistakesOf(text: string): string[] {
  try {
    load(text);
  } catch (error) {
    const { diagnostics } = (error as { extensions: { diagnostics: Diagnostic[] } }).extensions;
    return diagnostics.map(({ file, line, column }) => `${file} ${line}:${column}`);
  }
  return [];
}
