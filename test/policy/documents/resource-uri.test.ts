import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sha256 } from "../../../src/in-toto-attestation/index.ts";
import { fillResourceUri } from "../../../src/policy/documents/resource-uri.ts";
import { load, places, RELEASE } from "../../support/policy-files.ts";

const ARTIFACT = sha256("artifact");
const HEX = ARTIFACT.slice("sha256:".length);

/** The policy with a `resourceUri`, which stands in line 6, column 16. */
function naming(uri: string): string {
  return RELEASE.replace("spec:", `spec:\n  resourceUri: ${uri}`);
}

const filled: Record<string, string> = {
  "pkg:npm/%40acme/app@1.2.3": "pkg:npm/%40acme/app@1.2.3",
  "pkg:oci/app@{algorithm}%3A{digest}": `pkg:oci/app@sha256%3A${HEX}`,
  "https://acme.example/{digest}/app.tgz?of={digest}": `https://acme.example/${HEX}/app.tgz?of=${HEX}`,
};
for (const [written, uri] of Object.entries(filled)) {
  test(`a policy names the resource ${written}`, () => {
    const policy = load(naming(written)).policies.get("release");
    assert.ok(policy?.spec.resourceUri);
    assert.equal(fillResourceUri(policy.spec.resourceUri, ARTIFACT), uri);
  });
}

describe("what is no URI is refused where it stands", () => {
  const wrong: Record<string, string> = {
    "a name": "app",
    "a scheme in upper case": "PKG:npm/app",
    "an unknown variable": '"pkg:npm/{name}"',
    "a space": '"https://acme.example/a b"',
    "a bad escape": "https://acme.example/%zz",
    "another line": '"https://acme.example/\\nx"',
    "nothing after the scheme": '"pkg:"',
    "a number": "7",
  };
  for (const [name, uri] of Object.entries(wrong)) {
    test(name, () => assert.deepEqual(places(naming(uri)), ["6:16"]));
  }
});
