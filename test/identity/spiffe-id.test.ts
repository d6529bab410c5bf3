import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { agentId, agentNameOf, enrolledAgentId, isReserved } from "../../src/identity/agent-id.ts";
import {
  parseSpiffeId,
  parseTrustDomain,
  pathOf,
  spiffeId,
  trustDomainOf,
} from "../../src/identity/spiffe-id.ts";
import fc from "../support/fc.ts";

const refused = { name: "VouchsafeError", code: "invalid-spiffe-id" };
const td = parseTrustDomain("example.org");

describe("SPIFFE IDs that are taken", () => {
  const cases: [id: string, trustDomain: string, path: string][] = [
    ["spiffe://example.org", "example.org", ""],
    ["spiffe://example.org/a", "example.org", "/a"],
    ["spiffe://a_b-c.9/A/b.c/_-/...", "a_b-c.9", "/A/b.c/_-/..."],
    ["spiffe://127.0.0.1/a", "127.0.0.1", "/a"],
    [`spiffe://${"a".repeat(255)}/a`, "a".repeat(255), "/a"],
    [`spiffe://a/${"b".repeat(2048 - 11)}`, "a", `/${"b".repeat(2048 - 11)}`],
  ];
  for (const [id, trustDomain, path] of cases) {
    test(id.slice(0, 60), () => {
      const parsed = parseSpiffeId(id);
      assert.equal(trustDomainOf(parsed), trustDomain);
      assert.equal(pathOf(parsed), path);
      assert.equal(spiffeId(trustDomainOf(parsed), pathOf(parsed)), id);
    });
  }
});

describe("SPIFFE IDs that are refused", () => {
  const cases: [what: string, id: string][] = [
    ["nothing", ""],
    ["another scheme", "https://example.org/a"],
    ["a scheme in capitals", "SPIFFE://example.org/a"],
    ["no scheme", "example.org/a"],
    ["no trust domain", "spiffe:///a"],
    ["a trust domain in capitals", "spiffe://Example.org/a"],
    ["a user", "spiffe://me@example.org/a"],
    ["a port", "spiffe://example.org:443/a"],
    ["a trust domain with percent-encoding", "spiffe://ex%61mple.org/a"],
    ["a trust domain of other letters", "spiffe://exämple.org/a"],
    ["a trust domain too long", `spiffe://${"a".repeat(256)}/a`],
    ["a trailing slash", "spiffe://example.org/"],
    ["a trailing slash after a path", "spiffe://example.org/a/"],
    ["an empty segment", "spiffe://example.org/a//b"],
    ["a dot segment", "spiffe://example.org/a/./b"],
    ["path traversal", "spiffe://example.org/a/../b"],
    ["path traversal at the end", "spiffe://example.org/a/.."],
    ["encoded path traversal", "spiffe://example.org/a/%2e%2e/b"],
    ["an encoded slash", "spiffe://example.org/a%2fb"],
    ["a backslash", "spiffe://example.org/a\\b"],
    ["a query", "spiffe://example.org/a?b"],
    ["a fragment", "spiffe://example.org/a#b"],
    ["a space", "spiffe://example.org/a b"],
    ["a newline at the end", "spiffe://example.org/a\n"],
    ["a newline at the end of a trust domain", "spiffe://example.org\n"],
    ["a NUL", "spiffe://example.org/a\0"],
    ["2,049 bytes", `spiffe://a/${"b".repeat(2048 - 10)}`],
  ];
  for (const [what, id] of cases) test(what, () => assert.throws(() => parseSpiffeId(id), refused));

  test("a path made of parts is held to the same", () => {
    for (const path of ["a", "/", "/a/../b", "/a%2f", "//a", "?a"]) {
      assert.throws(() => spiffeId(td, path), refused, path);
    }
  });
});

test("property: any text is parsed to itself or refused with the one error", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .string({ unit: fc.constantFrom("a", "A", ".", "/", "%", "2", "-", "_", ":", "@") })
      .map((s) => `spiffe://${s}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        assert.equal(`spiffe://${trustDomainOf(parseSpiffeId(text))}${pathOf(parseSpiffeId(text))}`, text);
        assert.equal(new URL(text).href, text);
      } catch (error) {
        assert.ok(error instanceof VouchsafeError && error.code === "invalid-spiffe-id", String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test("an agent's name is what stands below the reserved path: one segment of a join token's, several of a rule's", () => {
  assert.equal(agentNameOf(agentId(td, "node-1")), "node-1");
  for (const name of ["", "a/b", "..", "a%2fb"]) assert.throws(() => agentId(td, name), refused, name);
  assert.equal(agentNameOf(enrolledAgentId(td, ["k8s", "a", "b"])), "k8s/a/b");
  for (const name of ["", "..", "a/../b"])
    assert.throws(() => enrolledAgentId(td, ["k8s", name]), refused, name);
  const others = ["/vouchsafe/agent", "/vouchsafe/server", "/agent/a", "/x/vouchsafe/agent/a"];
  for (const path of others) assert.equal(agentNameOf(spiffeId(td, path)), undefined, path);
  assert.ok(["/vouchsafe", "/vouchsafe/x"].every((path) => isReserved(spiffeId(td, path))));
  assert.ok(!["/vouchsafed", "/a/vouchsafe", ""].some((path) => isReserved(spiffeId(td, path))));
});
