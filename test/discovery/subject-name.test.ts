import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReference } from "../../src/discovery/reference.ts";
import { subjectNameOf } from "../../src/discovery/subject-name.ts";

test("what is published is called in evidence what it was published as, and nothing else", () => {
  for (const [reference, name, isIt] of [
    ["npm:widget@1.0.0", "pkg:npm/widget@1.0.0", true],
    ["npm:@acme/widget@1.0.0", "pkg:npm/%40acme/widget@1.0.0", true],
    ["npm:@acme/widget@1.0.0", "pkg:npm/@acme/widget@1.0.0", true],
    ["npm:widget@1.0.0", "pkg:npm/widget@1.0.1", false],
    ["npm:widget@1.0.0", "pkg:npm/widget@1.0.0-rc.1", false],
    ["npm:widget@1.0.0", "pkg:npm/@acme/widget@1.0.0", false],
    ["npm:widget@1.0.0", "widget-1.0.0.tgz", false],
    ["pypi:acme-widget@1.0", "acme_widget-1.0-py3-none-any.whl", true],
    ["pypi:Acme.Widget@1.0", "acme-widget-1.0.tar.gz", true],
    ["pypi:widget@1.0", "widget-1.0.1-py3-none-any.whl", false],
    ["pypi:widget@1.0", "widget-1.0.1.tar.gz", false],
    ["pypi:widget@1.0", "gadget-1.0.tar.gz", false],
    ["pypi:widget@1.0", "gadget_widget-1.0-py3-none-any.whl", false],
    ["pypi:widget@1.0", "widget-gadget-1.0.tar.gz", false],
    ["pypi:widget@1.0/widget-1.0.tar.gz", "Widget-1.0.tar.gz", true],
    ["pypi:widget@1.0/widget-1.0.tar.gz", "widget-1.0-py3-none-any.whl", false],
  ] as const)
    assert.equal(subjectNameOf(parseReference(reference))?.matches(name), isIt, `${reference}: ${name}`);
  for (const reference of ["oci://registry.example.com/acme/widget:v1", "github:acme/widget"])
    assert.equal(subjectNameOf(parseReference(reference)), undefined);
});
