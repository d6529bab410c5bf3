import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseStatement, provenanceOf } from "../../src/in-toto-attestation/index.ts";

const commit = "7f3a1c5be0d94a2f8c6e1b0d3a5f7c9e2b4d6f80";

function provenance(version: string, predicate: unknown) {
  const statement = {
    _type: "https://in-toto.io/Statement/v0.1",
    subject: [{ name: "x", digest: { sha256: "0".repeat(64) } }],
    predicateType: `https://slsa.dev/provenance/${version}`,
    predicate,
  };
  return provenanceOf(parseStatement(Buffer.from(JSON.stringify(statement))));
}

const v1 = (
  externalParameters: unknown,
  resolvedDependencies?: unknown,
  buildType = "https://example.com/build",
) =>
  provenance("v1", {
    buildDefinition: { buildType, externalParameters, resolvedDependencies },
    runDetails: { builder: { id: "https://example.com/builder" }, metadata: { invocationId: "run-1" } },
  });

const dependency = { uri: "git+https://example.com/acme/widget@refs/tags/v1", digest: { gitCommit: commit } };
const source = { uri: "https://example.com/acme/widget", ref: "refs/tags/v1", commit };

describe("SLSA provenance v1", () => {
  test("in the words of v1", () => {
    const read = v1({ input: "x" }, [dependency]);
    assert.equal(read?.version, "v1");
    assert.equal(read?.builderId, "https://example.com/builder");
    assert.equal(read?.buildType, "https://example.com/build");
    assert.equal(read?.externalParameters.input, "x");
    assert.equal(read?.invocationId, "run-1");
    assert.deepEqual(read?.source, source);
  });

  test("the source of each build type in use", () => {
    const repository = "https://example.com/acme/widget";
    const ref = "refs/tags/v1";
    assert.deepEqual(v1({ workflow: { repository, ref, path: "x.yml" } }, [dependency])?.source, source);
    assert.deepEqual(v1({ source: { ...dependency, digest: { sha1: commit } } })?.source, source);
    assert.equal(v1({}, [{ uri: "pkg:npm/left-pad@1.0.0" }])?.source, undefined);
  });

  test("the source of Cloud Build is what it built, which is what configured it unless it says otherwise", () => {
    const type = "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1";
    const own = { repository: "git+https://example.com/acme/widget", ref: "refs/tags/v1" };
    const shared = { repository: "git+https://example.com/acme/builds", ref: "refs/heads/main" };
    assert.deepEqual(v1({ buildConfigSource: own }, [dependency], type)?.source, source);
    const apart = { buildConfigSource: shared, sourceToBuild: own };
    assert.deepEqual(v1(apart, [dependency], type)?.source, source);
  });

  test("what configured a build of another type says nothing of its source", () => {
    const buildConfigSource = { repository: "https://example.com/acme/builds", ref: "refs/heads/main" };
    assert.equal(v1({ buildConfigSource })?.source, undefined);
  });

  test("a dependency's digest of another form names nothing, and the rest is read: GitLab's runner calls SHA-1 sha256", () => {
    const read = v1({}, [
      { uri: "https://example.com/acme/widget", digest: { sha256: commit, gitCommit: commit } },
    ]);
    assert.deepEqual({ ...read?.resolvedDependencies[0]?.digest }, { gitCommit: commit });
  });

  test("the commit is never that of another repository or ref", () => {
    const workflow = { repository: "https://example.com/acme/widget", ref: "refs/tags/v1" };
    for (const uri of [
      "git+https://example.com/acme/other@refs/tags/v1",
      "git+https://example.com/acme/widget@refs/tags/v2",
    ]) {
      assert.equal(v1({ workflow }, [{ ...dependency, uri }])?.source?.commit, undefined);
    }
  });

  test("the first @refs/ separates the repository, so that a ref cannot pose as one", () => {
    const uri = "git+https://example.com/a@refs/heads/x@refs/heads/main";
    assert.deepEqual(v1({}, [{ uri }])?.source, {
      uri: "https://example.com/a",
      ref: "refs/heads/x@refs/heads/main",
    });
  });
});

test("SLSA provenance v0.2", () => {
  const read = provenance("v0.2", {
    builder: { id: "b" },
    buildType: "t",
    invocation: {
      configSource: {
        uri: "git+https://example.com/acme/widget@refs/tags/v1",
        digest: { sha1: commit },
        entryPoint: "e",
      },
      parameters: { level: 3 },
      environment: { os: "x" },
    },
    metadata: { buildInvocationID: "run-2", buildStartedOn: "then" },
    materials: [{ uri: "git+https://example.com/acme/other" }],
  });
  assert.deepEqual(read?.source, source);
  assert.equal(read?.invocationId, "run-2");
  assert.equal(read?.startedOn, "then");
  assert.equal(JSON.stringify(read?.externalParameters.parameters), '{"level":3}');
  assert.equal(JSON.stringify(read?.internalParameters), '{"environment":{"os":"x"}}');
});

describe("the source of what Tekton built", () => {
  const uri = "git+https://example.com/acme/widget.git";
  const catalog = "git+https://example.com/acme/catalog.git";
  const input = { name: "inputs/result", uri, digest: { sha1: commit } };
  const built = { uri: "https://example.com/acme/widget.git", commit };
  const buildConfigSource = { repository: catalog, ref: `sha1:${commit}`, path: "pipeline.yaml" };

  for (const type of [
    "https://tekton.dev/chains/v2/slsa",
    "https://tekton.dev/chains/v2/slsa-tekton",
    "https://cloud.google.com/build/gcb-buildtypes/google-builder/v1",
  ]) {
    const sourceOf = (...dependencies: readonly unknown[]) =>
      v1({ runSpec: {}, buildConfigSource }, dependencies, type)?.source;

    test(`is its one input, and never its pipeline or a task: ${type}`, () => {
      const pipeline = { name: "pipeline", uri: catalog, digest: { sha1: commit } };
      const task = { name: "pipelineTask", uri: catalog, digest: { sha1: commit } };
      assert.deepEqual(sourceOf(pipeline, task, input), built);
      assert.equal(sourceOf(pipeline, task), undefined);
      const image = { name: "inputs/result", uri: "pkg:docker/base", digest: { sha256: "0".repeat(64) } };
      assert.deepEqual(sourceOf(image, input, input), built);
      assert.equal(sourceOf(input, { ...input, uri: catalog }), undefined, "of two repositories");
      assert.equal(sourceOf(input, { ...input, digest: { sha1: "0".repeat(40) } }), undefined, "two commits");
    });
  }

  for (const buildType of ["tekton.dev/v1/PipelineRun", "https://tekton.dev/attestations/chains@v2"]) {
    const sourceOf = (configSource: unknown, tasks: unknown, ...materials: readonly unknown[]) =>
      provenance("v0.2", {
        builder: { id: "b" },
        buildType,
        invocation: { configSource },
        buildConfig: { tasks },
        materials,
      })?.source;
    const material = { uri, digest: { sha1: commit } };
    const fromCatalog = { uri: catalog, digest: { sha1: commit } };

    test(`is the one repository that nothing of it was configured from: v0.2, ${buildType}`, () => {
      const task = { invocation: { configSource: fromCatalog } };
      assert.deepEqual(sourceOf({}, null, material), built);
      assert.deepEqual(sourceOf(fromCatalog, [], fromCatalog, material), built);
      assert.deepEqual(sourceOf(null, [task, { invocation: {} }], fromCatalog, material), built);
      assert.equal(sourceOf(fromCatalog, null, fromCatalog), undefined);
      assert.equal(sourceOf({}, [task], fromCatalog), undefined);
      assert.equal(sourceOf({}, [], fromCatalog, material), undefined, "of two repositories");
    });
  }
});

test("SLSA provenance v0.1: the recipe says which material is the source", () => {
  const read = provenance("v0.1", {
    builder: { id: "b" },
    recipe: { type: "t", definedInMaterial: 1, entryPoint: "make", arguments: { fast: true } },
    materials: [{ uri: "git+https://example.com/acme/other" }, { ...dependency, digest: { sha1: commit } }],
  });
  assert.deepEqual(read?.source, source);
  assert.equal(read?.buildType, "t");
  assert.equal(read?.externalParameters.entryPoint, "make");
});

describe("provenance that is none", () => {
  test("another predicate has none", () => assert.equal(provenance("v0.9", {}), undefined));

  const malformed: [name: string, version: string, predicate: unknown][] = [
    ["no build definition", "v1", { runDetails: { builder: { id: "b" } } }],
    ["no builder", "v1", { buildDefinition: { buildType: "t" }, runDetails: {} }],
    [
      "a builder id that is no string",
      "v1",
      { buildDefinition: { buildType: "t" }, runDetails: { builder: { id: {} } } },
    ],
    [
      "parameters that are a list",
      "v1",
      { buildDefinition: { buildType: "t", externalParameters: [] }, runDetails: { builder: { id: "b" } } },
    ],
    ["no build type", "v0.2", { builder: { id: "b" } }],
    ["materials that are no list", "v0.2", { builder: { id: "b" }, buildType: "t", materials: {} }],
    ["no recipe", "v0.1", { builder: { id: "b" } }],
  ];
  for (const [name, version, predicate] of malformed) {
    test(`refuses ${name}`, () =>
      assert.throws(() => provenance(version, predicate), { code: "malformed-statement" }));
  }
});
