import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { budgetOf } from "../../src/admission/deadline.ts";
import { readPolicies } from "../../src/admission/policies.ts";
import { questionOf } from "../../src/admission/question.ts";
import { MalformedReview, parseReview } from "../../src/admission/review.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { containersOf, podOf, type Reviewed, reviewFor } from "./reviews.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const ask = (reviewed: Reviewed) => questionOf(parseReview(bytes(reviewFor(reviewed))));
const [A = "", B = "", C = "", D = ""] = ["a", "b", "c", "d"].map((one) => sha256(one));
const image = (digest: string) => `registry.example.com/acme/web@${digest}`;
const POD = "/v1/Pod";

/** The digests that are asked about, or what was said without asking. */
function asked(reviewed: Reviewed): readonly string[] | string {
  const question = ask(reviewed);
  if (question.case === "ask") return [...question.images.keys()];
  return question.case === "deny" ? `deny: ${question.message}` : `allow: ${question.why}`;
}

describe("what a review asks about", () => {
  const template = (...images: string[]) => ({ metadata: {}, spec: { containers: containersOf(...images) } });
  for (const [kind, object] of [
    [POD, podOf(image(A))],
    ["/v1/PodTemplate", { template: template(image(A)) }],
    ["/v1/ReplicationController", { spec: { template: template(image(A)) } }],
    ["apps/v1/Deployment", { spec: { template: template(image(A)) } }],
    ["apps/v1/StatefulSet", { spec: { template: template(image(A)) } }],
    ["apps/v1/DaemonSet", { spec: { template: template(image(A)) } }],
    ["apps/v1/ReplicaSet", { spec: { template: template(image(A)) } }],
    ["batch/v1/Job", { spec: { template: template(image(A)) } }],
    ["batch/v1/CronJob", { spec: { jobTemplate: { spec: { template: template(image(A)) } } } }],
  ] as const) {
    test(`${kind} by its pods' images`, () => assert.deepEqual(asked({ kind, object }), [A]));
  }

  test("every place of a pod that an image can stand in, each digest once", () => {
    const spec = {
      containers: containersOf(image(A), image(A)),
      initContainers: containersOf(image(B)),
      ephemeralContainers: containersOf(`registry.example.com:5000/web:v1@${C}`),
      volumes: [
        { name: "model", image: { reference: image(D), pullPolicy: "Always" } },
        { name: "tmp", emptyDir: {} },
      ],
    };
    assert.deepEqual(asked({ kind: POD, object: { spec } }), [A, B, C, D]);
  });

  test("an update by the images that it adds", () => {
    const update = (object: unknown, oldObject: unknown) =>
      asked({ kind: POD, operation: "UPDATE", object, oldObject });
    assert.equal(update(podOf("web:v1"), podOf("web:v1")), "allow: no image is new");
    assert.deepEqual(update(podOf(image(A), image(B)), podOf(image(A))), [B]);
    assert.match(String(update(podOf("web:v2"), podOf("web:v1"))), /^deny: The container c0 names web:v2/);
    const withDebugger = { spec: { ...podOf(image(A)).spec, ephemeralContainers: containersOf(image(C)) } };
    assert.deepEqual(update(withDebugger, podOf(image(A))), [C]);
    // Only an update has something before: a creation that claims so is none.
    assert.deepEqual(asked({ kind: POD, object: podOf(image(A)), oldObject: podOf(image(A)) }), [A]);
  });

  for (const operation of ["DELETE", "CONNECT"])
    test(`${operation} starts nothing`, () => {
      assert.equal(asked({ kind: "/v1/Secret", operation }), "allow: nothing is started");
    });

  for (const [what, reviewed, said] of [
    [
      "a tag",
      { kind: POD, object: podOf("reg:5000/web:v1") },
      /name it as reg:5000\/web@sha256:….*crane digest reg:5000\/web:v1/,
    ],
    ["no tag", { kind: POD, object: podOf("web") }, /c0 names web, which may be something else tomorrow/],
    ["no image", { kind: POD, object: podOf("") }, /c0 names no image/],
    [
      "a container without one",
      { kind: POD, object: { spec: { containers: [{ name: "x" }] } } },
      /x names no image/,
    ],
    ["a weak digest", { kind: POD, object: podOf(`web@sha1:${"0".repeat(40)}`) }, /name it as web@sha256/],
    ["half a digest", { kind: POD, object: podOf(`web@${A.slice(0, -1)}`) }, /name it as web@sha256/],
    ["two digests", { kind: POD, object: podOf(`web@${A}@${B}`) }, /name it as web@sha256/],
    [
      "a digest in upper case",
      { kind: POD, object: podOf(`web@${A.toUpperCase()}`) },
      /name it as web@sha256/,
    ],
    ["one tag beside digests", { kind: POD, object: podOf(image(A), "web") }, /c1 names web/],
    [
      "a kind that is not known",
      { kind: "apps/v1/Deploy", object: {} },
      /apps\/v1\/Deploy is not looked into/,
    ],
    ["another version", { kind: "apps/v2/Deployment", object: {} }, /not looked into/],
    [
      "a custom resource",
      { kind: "argoproj.io/v1alpha1/Rollout", object: {} },
      /take it out of the webhook's rules/,
    ],
    ["no object", { kind: POD }, /is not looked into/],
    [
      "containers that are no list",
      { kind: POD, object: { spec: { containers: { c: 1 } } } },
      /containers is no list/,
    ],
    [
      "an image that is no text",
      { kind: POD, object: { spec: { containers: [{ image: 1 }] } } },
      /image is no text/,
    ],
    ["a spec that is no object", { kind: POD, object: { spec: [] } }, /spec is no object/],
    [
      "too many",
      { kind: POD, object: podOf(...Array.from({ length: 257 }, (_, i) => image(sha256(`${i}`)))) },
      /at most 256/,
    ],
  ] as const) {
    test(`${what} is denied`, () => assert.match(String(asked(reviewed)), said));
  }
});

test("a controller without a template makes no pods", () => {
  assert.equal(asked({ kind: "/v1/ReplicationController", object: { spec: {} } }), "allow: no image is new");
});

describe("a body that is no review", () => {
  const good = () => reviewFor({ kind: POD, object: podOf("web") });
  for (const [what, body] of [
    ["nothing", ""],
    ["two values", `${JSON.stringify(good())}{}`],
    [
      "a member twice",
      JSON.stringify(good()).replace('"operation":"CREATE"', '"operation":"CREATE","operation":"DELETE"'),
    ],
    ["too deep", "[".repeat(200)],
    ["another version", JSON.stringify({ ...good(), apiVersion: "admission.k8s.io/v1beta1" })],
    ["another kind", JSON.stringify({ ...good(), kind: "Pod" })],
    ["no request", JSON.stringify({ ...good(), request: null })],
    ["no uid", JSON.stringify({ ...good(), request: { ...good().request, uid: "" } })],
    [
      "an operation that is not known",
      JSON.stringify({ ...good(), request: { ...good().request, operation: "PATCH" } }),
    ],
    ["an object that is none", JSON.stringify({ ...good(), request: { ...good().request, object: "x" } })],
  ] as const) {
    test(what, () => {
      assert.throws(() => parseReview(new TextEncoder().encode(body)), MalformedReview);
    });
  }
});

test("the budget is what the API server waits, less what the way takes", () => {
  for (const [timeout, budget] of [
    [null, 9_000],
    ["10s", 9_000],
    ["1s", 750],
    ["30s", 27_000],
    ["1h", 27_000],
    ["1m0s", 27_000],
    ["2.5s", 1_750],
    ["100ms", 50],
    ["soon", 750],
    ["", 750],
    ["-1s", 750],
  ] as const)
    assert.equal(budgetOf(timeout), budget, String(timeout));
});

describe("policies by namespace", () => {
  test("the namespace's own, or the default", () => {
    const policyOf = readPolicies("p.yaml", "default: release\nnamespaces:\n  payments: strict\n");
    assert.deepEqual(["payments", "web", "constructor"].map(policyOf), ["strict", "release", "release"]);
    assert.equal(readPolicies("p.yaml", "namespaces: {a: b}")("c"), undefined);
  });
  for (const [what, text] of [
    ["nothing", ""],
    ["a list", "- a"],
    ["two documents", "default: a\n---\ndefault: b"],
    ["a member that is not known", "defaults: a"],
    ["a pattern", "namespaces: {'team-*': a}"],
    ["no name", "default: ''"],
    ["a number", "namespaces: {a: 1}"],
    ["an alias", "default: &a x\nnamespaces: {b: *a}"],
    ["a namespace twice", "namespaces: {a: x, a: y}"],
  ] as const)
    test(`${what} is refused`, () => {
      assert.throws(() => readPolicies("p.yaml", text), { code: "configuration-invalid" });
    });
});
