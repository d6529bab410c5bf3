import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { compileGlob } from "../../src/policy/glob.ts";
import { attestFiles } from "../../src/workload/registrations.ts";

/** What one request to the server may name (src/http/resources/svid.ts). */
const MOST = 64;

test("a process of many workload policies is attested by as many as the server takes, and not by none", async () => {
  const workloads = Array.from({ length: 20 }, (_, i) => ({
    workload: `policy-${i}`,
    selectors: [compileGlob("unix:uid:*")],
    files: new Map(["a", "b", "c", "d"].map((name) => [name, [`/${name}`]])),
  }));
  const source = { registrations: async () => workloads };
  const feed = { follow: () => () => {} };
  for (const found of [[sha256("a")], "file-missing"] as const) {
    const asked: string[] = [];
    const filesOf = attestFiles(source, feed, async (_, patterns) => {
      asked.push(...patterns);
      return found;
    });
    const { components, absent = {} } = await filesOf(1, ["unix:uid:0"]);
    const named = [...Object.keys(components), ...Object.keys(absent)];
    assert.ok(named.length <= MOST - 2, `${named.length} beside an executable and an image`);
    assert.equal(named.length, asked.length);
    assert.ok(named.includes("policy-0/d"));
  }
});
