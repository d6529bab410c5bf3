import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_PROJECT, parseProjectName } from "../../src/identity/project-name.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { requireOfProject } from "../../src/policy/project-reach.ts";
import { diagnosticsOf } from "../../src/yaml/diagnostics.ts";
import { RELEASE_POLICY } from "../http/release.ts";

const acme = parseProjectName("acme");

function setWith(path: string, name = "w") {
  const text = `apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: ${name} }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: ${path}
  policies: [release]
  requesters: { issuers: [broker] }
`;
  return loadPolicySet([
    { name: "w.yaml", text },
    { name: "release.yaml", text: RELEASE_POLICY },
  ]);
}

test("a project's SPIFFE IDs are under its own path, and default's under no project's", () => {
  const within: [string, string][] = [
    ["acme", "/project/acme/a"],
    ["acme", "/project/acme/{digest}"],
    ["acme", "/project/acme/{policy}/a"],
    ["default", "/a"],
    ["default", "/projects/acme"],
    ["default", "/a/project/acme"],
  ];
  for (const [project, path] of within)
    assert.doesNotThrow(() => requireOfProject(setWith(path), parseProjectName(project)), path);
  const outside: [string, string, string?][] = [
    ["acme", "/a"],
    ["acme", "/project/other/a"],
    ["acme", "/project/acme"],
    ["acme", "/project/acme2/a"],
    ["acme", "/project/{policy}/a", "other"],
    ["default", "/project/acme/a"],
    ["default", "/project"],
    ["default", "/{policy}/acme", "project"],
  ];
  for (const [project, path, name] of outside)
    assert.throws(
      () => requireOfProject(setWith(path, name), parseProjectName(project)),
      { code: "invalid-policy" },
      `${project} ${path}`,
    );
  assert.doesNotThrow(() => requireOfProject(setWith("/project/{policy}/a", "acme"), acme));
});

test("what reaches outside is told with its place", () => {
  try {
    requireOfProject(setWith("/a"), acme);
    assert.fail("taken");
  } catch (error) {
    const [found, ...others] = diagnosticsOf((error as { extensions: Record<string, unknown> }).extensions);
    assert.deepEqual(others, []);
    assert.deepEqual([found?.file, found?.line, found?.column], ["w.yaml", 6, 13]);
    assert.match(found?.message ?? "", /all under `\/project\/acme\/`/);
  }
  assert.throws(
    () => requireOfProject(setWith("/project/acme/a"), DEFAULT_PROJECT),
    /those of other projects/,
  );
});
