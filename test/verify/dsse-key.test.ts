import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import fc from "../support/fc.ts";
import {
  bytesOf,
  type EnvelopeJson,
  envelope,
  type KeySigner,
  SIGNERS,
  STATEMENT,
  SUBJECT,
  trustedKey,
} from "./envelopes.ts";

const NOW = 1_800_000_000_000;
const trust = createTrust({ sigstore: [], keys: SIGNERS.map((signer) => trustedKey(signer)) });
const verify = (json: unknown, under = trust, at = NOW) => verifyEvidence(bytesOf(json), under, at);
const signer = (name: string): KeySigner => {
  const found = SIGNERS.find((one) => one.name === name);
  assert.ok(found);
  return found;
};

describe("an envelope of a trusted key verifies", () => {
  for (const one of SIGNERS) {
    test(`signed with ${one.name}`, () => {
      const attestation = verify(envelope([one]));
      assert.deepEqual(attestation.subjects, [{ name: "widget.tgz", digests: [SUBJECT] }]);
      assert.equal(attestation.signer.case === "key" && attestation.signer.name, one.name);
      assert.equal(attestation.statement?.predicateType, STATEMENT.predicateType);
      assert.equal(attestation.trustHash, trust.hash);
      assert.deepEqual(attestation.times, []);
    });
  }

  test("with a stranger's signature beside it", () => {
    const other = createTrust({ sigstore: [], keys: [trustedKey(signer("p256"))] });
    assert.equal(verify(envelope([signer("ed25519"), signer("p256")]), other).signer.case, "key");
  });

  test("beside one of another trusted key that asks for more than is there", () => {
    for (const thresholds of [{ logEntries: 1 }, { timestamps: 1 }]) {
      const both = createTrust({
        sigstore: [],
        keys: [trustedKey(signer("ed25519"), { thresholds }), trustedKey(signer("p256"))],
      });
      const { signer: found } = verify(envelope([signer("ed25519"), signer("p256")]), both);
      assert.equal(found.case === "key" && found.name, "p256");
    }
  });

  test("under any key id, which nothing signs", () => {
    for (const keyid of ["ed25519", "p256", "whatever"]) {
      const { signer: found } = verify(
        envelope([signer("ed25519")], { keyid }),
        createTrust({ sigstore: [], keys: [trustedKey(signer("ed25519"))] }),
      );
      assert.equal(found.case === "key" && found.name, "ed25519");
    }
  });
});

describe("an envelope is refused", () => {
  const refuses = (json: unknown, code: string, under = trust, at = NOW) =>
    assert.throws(() => verify(json, under, at), { name: "VouchsafeError", code });

  for (const one of SIGNERS) {
    test(`with another payload, signed with ${one.name}`, () => {
      const other = envelope([one], { statement: { ...STATEMENT, predicate: { result: "FAILED" } } });
      refuses({ ...envelope([one]), payload: other.payload }, "unknown-key");
    });

    test(`with another payload type, signed with ${one.name}`, () => {
      refuses({ ...envelope([one]), payloadType: "application/vnd.in-toto+jso" }, "unknown-key");
    });
  }

  test("of a key that is not in the snapshot", () => {
    refuses(
      envelope([signer("p256")]),
      "unknown-key",
      createTrust({ sigstore: [], keys: [trustedKey(signer("p384"))] }),
    );
    refuses(envelope([signer("p256")]), "unknown-key", createTrust({ sigstore: [], keys: [] }));
  });

  test("when the key that it names did not make the signature", () => {
    const other = createTrust({ sigstore: [], keys: [trustedKey(signer("p384"))] });
    refuses(envelope([signer("p256")], { keyid: "p384" }), "signature-invalid", other);
  });

  test("outside the key's validity, whose ends are inclusive", () => {
    const from = new Date(NOW).toISOString();
    const until = new Date(NOW + 1000).toISOString();
    const limited = createTrust({
      sigstore: [],
      keys: [trustedKey(signer("p256"), { validFrom: from, validUntil: until })],
    });
    const json = envelope([signer("p256")]);
    for (const at of [NOW, NOW + 1000]) assert.doesNotThrow(() => verify(json, limited, at));
    for (const at of [NOW - 1, NOW + 1001]) refuses(json, "time-unverified", limited, at);
  });

  test("when its key's signatures must be logged or timestamped", () => {
    for (const [thresholds, code] of [
      [{ logEntries: 1 }, "log-entry-invalid"],
      [{ timestamps: 1 }, "time-unverified"],
    ] as const) {
      const strict = createTrust({ sigstore: [], keys: [trustedKey(signer("p256"), { thresholds })] });
      refuses(envelope([signer("p256")]), code, strict);
    }
  });

  test("when what is signed is no Statement, or one of an unknown predicate type", () => {
    refuses(envelope([signer("p256")], { payloadType: "text/plain" }), "malformed-statement");
    refuses(envelope([signer("p256")], { statement: {} }), "malformed-statement");
    refuses(envelope([signer("p256")], { statement: "{" }), "malformed-statement");
    const statement = { ...STATEMENT, predicateType: "https://example.com/new" };
    refuses(envelope([signer("p256")], { statement }), "unknown-predicate-type");
  });

  test("when it is no evidence at all", () => {
    for (const json of [{}, [], null, 1, "x", { payload: "" }]) refuses(json, "unknown-evidence-format");
    assert.throws(() => verifyEvidence(Buffer.from("{"), trust, NOW), { code: "malformed-json" });
    refuses({ mediaType: "application/json" }, "malformed-bundle");
    refuses({ ...envelope([signer("p256")]), signatures: [] }, "malformed-envelope");
  });
});

test("whatever is changed, the payload that verifies is the one that was signed", () => {
  const original = envelope([signer("p256"), signer("ed25519")]);
  const text = JSON.stringify(original);
  fc.assert(
    fc.property(
      fc.nat(text.length - 1),
      fc.constantFrom("A", "=", "-", '"', "{", "0", "\\"),
      (at, character) => {
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        try {
          verifyEvidence(Buffer.from(changed), trust, NOW);
        } catch (error) {
          if (!(error instanceof VouchsafeError)) throw error;
          return;
        }
        const accepted: EnvelopeJson = JSON.parse(changed);
        const payload = (json: EnvelopeJson) => Buffer.from(json.payload, "base64").toString();
        assert.equal(payload(accepted), payload(original));
        assert.equal(accepted.payloadType, original.payloadType);
      },
    ),
    { numRuns: 500 },
  );
});
