import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameFileName } from "../../src/in-toto-attestation/index.ts";

const WHEEL = "Acme.widget-1.0-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";

const cases: [string, string, boolean][] = [
  [
    "the platform tags in another order",
    "Acme.widget-1.0-cp310-cp310-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    true,
  ],
  [
    "the name as it is normalised",
    "acme_widget-1.0-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    true,
  ],
  ["one platform tag less", "Acme.widget-1.0-cp310-cp310-manylinux2014_x86_64.whl", false],
  ["another Python", "Acme.widget-1.0-cp311-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", false],
  ["another version", "Acme.widget-1.1-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", false],
  ["a build number", "Acme.widget-1.0-1-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", false],
  ["too few parts", "Acme.widget-1.0-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", false],
];
for (const [name, other, same] of cases) {
  test(`a wheel's name is ${same ? "the same" : "another"} with ${name}`, () => {
    assert.equal(isSameFileName(WHEEL, other), same);
    assert.equal(isSameFileName(other, WHEEL), same);
  });
}

test("names that are no wheels' have one spelling", () => {
  assert.ok(isSameFileName("a.b-1.0.tar.gz", "a.b-1.0.tar.gz"));
  assert.ok(!isSameFileName("a.b-1.0.tar.gz", "b.a-1.0.tar.gz"));
  assert.ok(!isSameFileName("A-1.0.tar.gz", "a-1.0.tar.gz"));
});
