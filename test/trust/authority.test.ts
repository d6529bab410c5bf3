import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { oid } from "../../src/der/writer.ts";
import { type AuthorityUse, parseAuthorities, parseAuthority } from "../../src/trust/authority.ts";
import { ALWAYS, type TimeRange } from "../../src/trust/time-range.ts";
import { ANY_EXTENDED_KEY_USAGE, CODE_SIGNING, SERVER_AUTH, TIME_STAMPING } from "../../src/x509/oids.ts";
import { extension, type Holder } from "../verify/issued-certificates.ts";
import { issue } from "./certificates.ts";

const root = issue("root");
const middle = issue("middle", { issuer: root, pathLength: 1 });
const issuing = issue("issuing", { issuer: middle, pathLength: 0 });

const parse = (chain: readonly Holder[], use: AuthorityUse = "attestations", range = ALWAYS) =>
  parseAuthority(
    chain.map((one) => one.certificate),
    use,
    range,
    "chain",
  );
const refuses = (chain: readonly Holder[], use: AuthorityUse = "attestations") =>
  assert.throws(() => parse(chain, use), { code: "invalid-trust" });

describe("a chain of certificates", () => {
  test("is put in order from the issuing one to the root, whatever order it came in", () => {
    const expected = [issuing, middle, root].map((one) => one.certificate);
    for (const given of [
      [issuing, middle, root],
      [root, middle, issuing],
      [middle, root, issuing],
    ]) {
      assert.deepEqual(
        parse(given).chain.map(({ certificate }) => certificate.der),
        expected,
      );
    }
  });

  test("may end with an authority that another issued: it is trusted by fiat", () => {
    assert.equal(parse([issuing, middle]).chain.length, 2);
    assert.equal(parse([issuing]).chain.length, 1);
  });

  test("is believed while the document, itself and everything above it say so", () => {
    const [early, late] = [Date.parse("2020-01-01T00:00:00Z"), Date.parse("2040-01-01T00:00:00Z")];
    const shortRoot = issue("short", { until: "20260101000000" });
    const longChild = issue("long", { issuer: shortRoot });
    const range: TimeRange = { start: Date.parse("2025-06-01T00:00:00Z"), end: late };
    assert.deepEqual(
      parse([longChild, shortRoot], "attestations", range).chain.map(({ validFor }) => validFor),
      [
        { start: range.start, end: Date.parse("2026-01-01T00:00:00Z") },
        { start: range.start, end: Date.parse("2026-01-01T00:00:00Z") },
      ],
    );
    assert.deepEqual(
      parse([longChild]).chain.map(({ validFor }) => validFor),
      [{ start: early, end: late }],
    );
  });

  test("is refused when it is not one chain", () => {
    refuses([]);
    refuses([issuing, root]);
    refuses([issuing, middle, root, issue("stranger")]);
    refuses([issuing, middle, root, issue("sibling", { issuer: middle })]);
    refuses([issue("twice", { issuer: root }), root, root]);
  });

  test("is refused when only the names fit, and the signature is another's", () => {
    refuses([issue("child", { issuer: issue("root") }), root]);
  });

  test("is refused with a certificate that may not issue", () => {
    const leaf = issue("leaf", { issuer: root, ca: false });
    refuses([leaf, root]);
    refuses([issue("below", { issuer: leaf }), leaf, root]);
    const noSigning = issue("no signing", { keyUsage: 0x80 });
    refuses([issue("below", { issuer: noSigning }), noSigning]);
    const noDepth = issue("no depth", { pathLength: 0 });
    const between = issue("between", { issuer: noDepth });
    refuses([between, noDepth]);
    assert.ok(parse([issue("silent", { keyUsage: null })]), "a key usage that is absent forbids nothing");
  });

  test("is refused with a purpose that is another's, or a critical extension that nobody obeys", () => {
    for (const [usage, use, isTaken] of [
      [CODE_SIGNING, "attestations", true],
      [CODE_SIGNING, "timestamps", false],
      [TIME_STAMPING, "timestamps", true],
      [TIME_STAMPING, "attestations", false],
      [SERVER_AUTH, "attestations", false],
      [ANY_EXTENDED_KEY_USAGE, "timestamps", true],
    ] as const) {
      const authority = issue("purpose", { extendedKeyUsages: [usage] });
      const chain = [issue("below", { issuer: authority }), authority];
      if (isTaken) assert.equal(parse(chain, use).chain.length, 2);
      else refuses(chain, use);
    }
    const nameConstraints = extension(oid("2.5.29.30"), Buffer.of(0x30, 0), true);
    refuses([issue("constrained", { more: [nameConstraints] })]);
  });

  test("for timestamps may begin with the one that signs them", () => {
    const tsa = issue("tsa", { issuer: issuing, ca: false, extendedKeyUsages: [TIME_STAMPING] });
    assert.equal(parse([tsa, issuing, middle, root], "timestamps").chain.length, 4);
    assert.equal(parse([issuing, middle, root], "timestamps").chain.length, 3);
    refuses([tsa, issuing, middle, root], "attestations");
  });
});

test("several authorities may share those above them", () => {
  const sibling = issue("sibling", { issuer: middle });
  const bundle = [root, sibling, middle, issuing].map((one) => one.certificate);
  assert.deepEqual(
    parseAuthorities(bundle, "attestations", ALWAYS, "bundle").map(({ chain }) =>
      chain.map(({ certificate }) => certificate.der),
    ),
    [
      [sibling, middle, root].map((one) => one.certificate),
      [issuing, middle, root].map((one) => one.certificate),
    ],
  );
  const twice = [root.certificate, root.certificate];
  assert.throws(() => parseAuthorities(twice, "attestations", ALWAYS, "bundle"), { code: "invalid-trust" });
});
