import { decodeEitherBase64 } from "./base64.ts";
import { AttestationFormatError } from "./errors.ts";
import { isJsonObject } from "./json.ts";
import type { Envelope, JsonValue } from "./types.ts";

/** The DSSE payload type of an in-toto Statement (in-toto/attestation spec/v1/envelope.md). */
export const IN_TOTO_PAYLOAD_TYPE = "application/vnd.in-toto+json";

const MAX_SIGNATURES = 32;

/**
 * Reads a DSSE envelope (secure-systems-lab/dsse envelope.md): 1 to 32 signatures, payload and signatures in
 * either base64 alphabet. Members that the specification does not name are ignored: nothing signs them.
 *
 * Throws `AttestationFormatError`: `malformed-envelope`, `too-many-items`.
 */
export function parseEnvelope(value: JsonValue): Envelope {
  if (!isJsonObject(value)) throw malformed("the envelope is not an object");
  const { payloadType, signatures } = value;
  if (typeof payloadType !== "string" || payloadType === "") throw malformed("payloadType is not a string");
  if (!Array.isArray(signatures) || signatures.length === 0) throw malformed("there are no signatures");
  if (signatures.length > MAX_SIGNATURES) {
    throw new AttestationFormatError(
      "too-many-items",
      `an envelope has at most ${MAX_SIGNATURES} signatures`,
    );
  }
  return {
    payloadType,
    payload: base64Member(value.payload, "payload"),
    signatures: signatures.map(parseSignature),
  };
}

function parseSignature(value: JsonValue): Envelope["signatures"][number] {
  if (!isJsonObject(value)) throw malformed("a signature is not an object");
  const sig = base64Member(value.sig, "sig");
  if (sig.length === 0) throw malformed("a signature is empty");
  const { keyid } = value;
  // Writers say "no key id" in three ways: absent, null and "".
  if (keyid === undefined || keyid === null || keyid === "") return { sig };
  if (typeof keyid !== "string") throw malformed("keyid is not a string");
  return { keyid, sig };
}

function base64Member(value: JsonValue | undefined, name: string): Uint8Array {
  const bytes = typeof value === "string" ? decodeEitherBase64(value) : undefined;
  if (bytes === undefined) throw malformed(`${name} is not base64`);
  return bytes;
}

/** The bytes that a DSSE signature is over: PAE of DSSEv1 (secure-systems-lab/dsse protocol.md). */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const header = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(header), payload]);
}

/** What signs an envelope. */
export interface EnvelopeSigner {
  readonly keyId: string;
  sign(bytes: Uint8Array): Uint8Array;
}

/** A Statement's bytes in a signed envelope, as JSON. */
export function signStatement(payload: Uint8Array, signer: EnvelopeSigner): string {
  const sig = signer.sign(preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, payload));
  return JSON.stringify({
    payload: base64(payload),
    payloadType: IN_TOTO_PAYLOAD_TYPE,
    signatures: [{ keyid: signer.keyId, sig: base64(sig) }],
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function malformed(what: string): AttestationFormatError {
  return new AttestationFormatError("malformed-envelope", `not a DSSE envelope: ${what}`);
}
