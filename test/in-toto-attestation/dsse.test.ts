import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AttestationFormatError,
  type JsonValue,
  parseEnvelope,
  preAuthenticationEncoding,
} from "../../src/in-toto-attestation/index.ts";
import fc from "../support/fc.ts";

const good = { payloadType: "text/plain", payload: "aGVsbG8=", signatures: [{ keyid: "k", sig: "c2ln" }] };

test("the pre-authentication encoding of the DSSE protocol's example", () => {
  const encoded = preAuthenticationEncoding("http://example.com/HelloWorld", Buffer.from("hello world"));
  assert.equal(Buffer.from(encoded).toString(), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
});

test("the pre-authentication encoding counts bytes, so that no two messages share one", () => {
  assert.equal(Buffer.from(preAuthenticationEncoding("é", Buffer.from("€"))).toString(), "DSSEv1 2 é 3 €");
  fc.assert(
    fc.property(fc.string(), fc.uint8Array(), fc.string(), fc.uint8Array(), (typeA, a, typeB, b) => {
      const same = typeA === typeB && Buffer.compare(a, b) === 0;
      const encodings = [preAuthenticationEncoding(typeA, a), preAuthenticationEncoding(typeB, b)] as const;
      assert.equal(Buffer.compare(...encodings) === 0, same);
    }),
  );
});

describe("parseEnvelope", () => {
  test("reads payload and signatures, in either alphabet, with and without key ids", () => {
    const envelope = parseEnvelope({
      ...good,
      payload: "-_8=",
      signatures: [
        { sig: "-_8=", keyid: "k" },
        { sig: "c2ln", keyid: null },
        { sig: "c2ln" },
        { sig: "c2ln", keyid: "" },
      ],
      unsigned: "ignored",
    });
    assert.deepEqual([...envelope.payload], [0xfb, 0xff]);
    assert.deepEqual(
      envelope.signatures.map(({ keyid }) => keyid),
      ["k", undefined, undefined, undefined],
    );
  });

  const refused: [name: string, value: JsonValue, code: string][] = [
    ["an array", [], "malformed-envelope"],
    ["null", null, "malformed-envelope"],
    ["no payload type", { ...good, payloadType: "" }, "malformed-envelope"],
    ["a payload that is not base64", { ...good, payload: "!" }, "malformed-envelope"],
    ["a payload that is no string", { ...good, payload: 1 }, "malformed-envelope"],
    ["no signatures", { ...good, signatures: [] }, "malformed-envelope"],
    ["signatures that are no array", { ...good, signatures: { sig: "c2ln" } }, "malformed-envelope"],
    ["an empty signature", { ...good, signatures: [{ sig: "" }] }, "malformed-envelope"],
    [
      "a key id that is no string",
      { ...good, signatures: [{ sig: "c2ln", keyid: 1 }] },
      "malformed-envelope",
    ],
    ["33 signatures", { ...good, signatures: Array(33).fill({ sig: "c2ln" }) }, "too-many-items"],
  ];
  for (const [name, value, code] of refused) {
    test(`refuses ${name}`, () => assert.throws(() => parseEnvelope(value), { code }));
  }

  test("throws nothing but its own error on any JSON", () => {
    const member = fc.oneof(fc.jsonValue(), fc.constant("c2ln"));
    const nearEnvelope = fc.record({
      payloadType: member,
      payload: member,
      signatures: fc.oneof(member, fc.array(fc.oneof(member, fc.record({ sig: member, keyid: member })))),
    });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), nearEnvelope), (value) => {
        try {
          parseEnvelope(value as JsonValue);
        } catch (error) {
          if (!(error instanceof AttestationFormatError)) throw error;
        }
      }),
    );
  });
});
