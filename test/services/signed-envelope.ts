import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { preAuthenticationEncoding, sha256 } from "../../src/in-toto-attestation/index.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";

const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** A key that signs envelopes, fast enough for thousands. */
export function envelopeKey(): { privateKey: KeyObject; pem: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, pem: publicKey.export({ format: "pem", type: "spki" }).toString() };
}

/** A DSSE envelope about a random artifact, signed by a plain key. */
export function signedEnvelope(key: KeyObject): { digest: Digest; bytes: Uint8Array } {
  const digest = sha256(randomBytes(32));
  return { digest, bytes: signStatement(testResult(digest), key) };
}

/** A Statement that says of an artifact by its sha256 that its tests passed. */
export function testResult(digest: string, name = "widget") {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name, digest: { sha256: digest.slice("sha256:".length) } }],
    predicateType: "https://in-toto.io/attestation/test-result/v0.1",
    predicate: { result: "PASSED", configuration: [] },
  };
}

/** A DSSE envelope with a Statement, signed by a plain key. */
export function signStatement(statement: object, key: KeyObject): Uint8Array {
  const payload = Buffer.from(JSON.stringify(statement));
  const sig = sign(null, preAuthenticationEncoding(PAYLOAD_TYPE, payload), key).toString("base64");
  const envelope = { payloadType: PAYLOAD_TYPE, payload: payload.toString("base64"), signatures: [{ sig }] };
  return Buffer.from(JSON.stringify(envelope));
}
