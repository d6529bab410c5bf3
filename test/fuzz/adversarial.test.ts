import { describe, test } from "node:test";
import { der } from "../../src/der/writer.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { AttestationFormatError, parseJson } from "../../src/in-toto-attestation/index.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { splitJsonLines, unpackEvidence } from "../../src/verify/formats/unpack.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { pemBlocks } from "../../src/x509/pem.ts";
import { bytesOf, envelope, SIGNERS, trustedKey } from "../verify/envelopes.ts";
import { NOW } from "../verify/signed-bundles.ts";
import { type Cost, feed } from "./fuzz.ts";

// Inputs that are made to be costly. What can be counted is bounded by count; the rest is linear in the input's size.
// So 16 MiB, the most that is taken, cost no more than this, where anything quadratic would take minutes.

const LARGEST = 16 * 1024 * 1024 - 4096;
const MOST: Cost = { milliseconds: 3000, bytes: 256 * 1024 * 1024 };

const trust = createTrust({ sigstore: [], keys: SIGNERS.map((signer) => trustedKey(signer)) });
const verify = (bytes: Uint8Array) => verifyEvidence(bytes, trust, NOW);
const envelopeWith = (payload: string) => JSON.stringify({ ...envelope(SIGNERS.slice(0, 1)), payload });

/** Name → of about so many bytes, and who reads it. */
const LONG: Record<
  string,
  { make: (size: number) => string | Uint8Array; read: (bytes: Uint8Array) => unknown }
> = {
  "arrays in arrays": { make: (size) => "[".repeat(size), read: parseJson },
  "objects in objects": { make: (size) => '{"a":'.repeat(size / 5), read: parseJson },
  "many members": {
    make: (size) => `{${Array.from({ length: size / 16 }, (_, i) => `"m${i}":${i}`).join(",")}}`,
    read: parseJson,
  },
  "one member many times": { make: (size) => `{${'"a":1,'.repeat(size / 6)}"a":1}`, read: parseJson },
  "a string of escapes": { make: (size) => `"${"\\u0041".repeat(size / 6)}"`, read: parseJson },
  "a string of backslashes that does not end": {
    make: (size) => `"${"\\\\".repeat(size / 2)}`,
    read: parseJson,
  },
  quotes: { make: (size) => '"'.repeat(size), read: parseJson },
  digits: { make: (size) => "9".repeat(size), read: parseJson },
  "white space": { make: (size) => `${" ".repeat(size)}x`, read: parseJson },
  "a payload that is no Statement": { make: (size) => envelopeWith("A".repeat(size)), read: verify },
  "a payload that is not quite base64": {
    make: (size) => envelopeWith(`${"A".repeat(size)}*`),
    read: verify,
  },
  "a payload of padding": { make: (size) => envelopeWith("=".repeat(size)), read: verify },
  "members that bundles do not have": {
    make: (size) =>
      `{"mediaType":"x",${Array.from({ length: size / 16 }, (_, i) => `"m${i}":${i}`).join(",")}}`,
    read: verify,
  },
  "a container of brackets": {
    make: (size) => `{"attestations":[${"[],".repeat(size / 3)}0]}`,
    read: unpackEvidence,
  },
  "a container's name again and again": {
    make: (size) => '"attestations"'.repeat(size / 14),
    read: unpackEvidence,
  },
  "empty lines": { make: (size) => "\n".repeat(size), read: splitJsonLines },
  lines: { make: (size) => "{}\n".repeat(size / 3), read: splitJsonLines },
  "PEM that begins and never ends": {
    make: (size) => `-----BEGIN A-----\n${"A".repeat(size)}`,
    read: (bytes) => pemBlocks(Buffer.from(bytes).toString("latin1")),
  },
  "PEM that begins again and again": {
    make: (size) => "-----BEGIN A-----\n".repeat(size / 18),
    read: (bytes) => pemBlocks(Buffer.from(bytes).toString("latin1")),
  },
  "PEM with a label that does not end": {
    make: (size) => `-----BEGIN ${"A ".repeat(size / 2)}`,
    read: (bytes) => pemBlocks(Buffer.from(bytes).toString("latin1")),
  },
  "a certificate of many elements": {
    make: (size) => der(0x30, Buffer.alloc((size * 3) / 4 - 1024, Buffer.of(0x05, 0x00))),
    read: (bytes) => verify(certified(bytes)),
  },
};

function certified(leaf: Uint8Array): Buffer {
  return bytesOf({
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { certificate: { rawBytes: Buffer.from(leaf).toString("base64") } },
    dsseEnvelope: envelope(SIGNERS.slice(0, 1)),
  });
}

describe("16 MiB are read or refused in time that grows as their length:", () => {
  for (const [name, { make, read }] of Object.entries(LONG)) {
    test(name, () => {
      const target = { name, seeds: [], read, refusals: [VouchsafeError, AttestationFormatError] };
      feed(target, Buffer.from(make(LARGEST)), MOST);
    });
  }
});
