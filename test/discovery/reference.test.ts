import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReference } from "../../src/discovery/reference.ts";
import { hasCode } from "../../src/errors.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

test("references say where to look", () => {
  const cases: [string, object][] = [
    ["oci://ghcr.io/acme/widget", { case: "oci", host: "ghcr.io", repository: "acme/widget" }],
    [
      "oci://ghcr.io/acme/widget:v1.2",
      { case: "oci", host: "ghcr.io", repository: "acme/widget", tag: "v1.2" },
    ],
    [
      `oci://ghcr.io/a/b:t@${DIGEST}`,
      { case: "oci", host: "ghcr.io", repository: "a/b", tag: "t", digest: DIGEST },
    ],
    ["oci://localhost:5000/a", { case: "oci", host: "localhost:5000", repository: "a" }],
    ["oci://[::1]:5000/a", { case: "oci", host: "[::1]:5000", repository: "a" }],
    ["oci://docker.io/alpine:3", { case: "oci", host: "docker.io", repository: "library/alpine", tag: "3" }],
    ["oci://index.docker.io/acme/widget", { case: "oci", host: "docker.io", repository: "acme/widget" }],
    [
      "npm:sigstore@2.3.1",
      {
        case: "npm",
        host: "registry.npmjs.org",
        base: "https://registry.npmjs.org",
        name: "sigstore",
        version: "2.3.1",
      },
    ],
    [
      "npm:@acme/widget@1.0.0?repository_url=https://npm.example.com/api/",
      {
        case: "npm",
        host: "npm.example.com",
        base: "https://npm.example.com/api",
        name: "@acme/widget",
        version: "1.0.0",
      },
    ],
    [
      "pypi:Acme._Widget@1.0.0/acme_widget-1.0.0.tar.gz",
      {
        case: "pypi",
        host: "pypi.org",
        base: "https://pypi.org",
        project: "acme-widget",
        version: "1.0.0",
        file: "acme_widget-1.0.0.tar.gz",
      },
    ],
    [
      "github:acme/widget",
      {
        case: "github",
        host: "api.github.com",
        base: "https://api.github.com",
        owner: "acme",
        repository: "widget",
      },
    ],
    [
      "github:acme",
      { case: "github", host: "api.github.com", base: "https://api.github.com", owner: "acme" },
    ],
  ];
  for (const [text, reference] of cases) assert.deepEqual(parseReference(text), reference, text);
});

test("what could lead elsewhere than it says is refused", () => {
  for (const text of [
    "",
    "ghcr.io/acme/widget",
    "https://ghcr.io/acme/widget",
    "oci://ghcr.io",
    "oci://ghcr.io/Acme/Widget",
    "oci://ghcr.io/acme/../widget",
    "oci://ghcr.io/acme//widget",
    "oci://user@ghcr.io/acme/widget",
    "oci://ghcr.io/acme/widget?x=y",
    "oci://ghcr.io/acme/widget#x",
    "oci://ghcr.io/acme/widget@sha256:12",
    `oci://ghcr.io/acme/widget:${"x".repeat(129)}`,
    `oci://ghcr.io/${"a/".repeat(200)}a`,
    "npm:sigstore",
    "npm:../sigstore@1",
    "npm:@acme/../x@1",
    "npm:sigstore@1/../..",
    "npm:sigstore@1.0.0?repository_url=file:///etc",
    "npm:sigstore@1.0.0?repository_url=https://user:pass@host/",
    "npm:sigstore@1.0.0?repository_url=https://host/?q=",
    "npm:sigstore@1.0.0?repository_url=https://host?repository_url=https://other",
    "pypi:acme",
    "pypi:acme@1.0.0/../x",
    "pypi:../acme@1.0.0",
    "github:acme/..",
    "github:acme/widget/x",
    "github:",
    `github:${"a".repeat(2000)}`,
  ])
    assert.throws(
      () => parseReference(text),
      (error) => hasCode(error, "invalid-request"),
      text.slice(0, 80),
    );
});
