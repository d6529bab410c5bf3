import { type KeyObject, sign } from "node:crypto";
import {
  AttestationFormatError,
  isJsonObject,
  type JsonObject,
  parseJson,
} from "../in-toto-attestation/index.ts";

/** A JWS in compact serialisation (RFC 7515 §3.1), its parts decoded and nothing of it verified. */
export interface CompactJws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  /** The ASCII text that the signature is over. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** Text that is no such JWS. Whoever reads one turns it into an error with a code: it never reaches a caller. */
export class JwsError extends Error {
  override readonly name = "JwsError";
}

const MAX_LENGTH = 16 * 1024;
const LIMITS = { maxBytes: MAX_LENGTH, maxDepth: 8 };

/** Reads strictly: three parts, each in base64url's one spelling, header and payload JSON objects. Throws `JwsError`. */
export function parseCompactJws(text: string): CompactJws {
  if (text.length > MAX_LENGTH) throw new JwsError(`it is longer than ${MAX_LENGTH} characters`);
  const [header, payload, signature, ...rest] = text.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    throw new JwsError("it does not have three parts");
  }
  return {
    header: jsonOf(header),
    payload: jsonOf(payload),
    signed: Buffer.from(`${header}.${payload}`, "latin1"),
    signature: bytesOf(signature),
  };
}

/** The same; throws what `refuse` makes of why it is none. */
export function readCompactJws(text: string, refuse: (why: string, cause: unknown) => Error): CompactJws {
  try {
    return parseCompactJws(text);
  } catch (error) {
    throw error instanceof JwsError ? refuse(error.message, error) : error;
  }
}

/** A part of a JWS: the JSON of a value in base64url. */
export function encodePart(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** Signs with a P-256 key (ES256, RFC 7518 §3.4). `header` is encoded, so that it can be made once. */
export function signEs256(header: string, payload: JsonObject, key: KeyObject): string {
  const signed = signingInput(header, payload);
  return compactEs256(signed, sign("sha256", signed, key));
}

/** What is signed of a JWS, whose `header` is encoded. */
export function signingInput(header: string, payload: JsonObject): Buffer {
  return Buffer.from(`${header}.${encodePart(payload)}`, "latin1");
}

/** The JWS of what `signingInput` gave and its ES256 signature in DER. */
export function compactEs256(signed: Buffer, signature: Uint8Array): string {
  // Asking node:crypto for r‖s takes twice as long as converting it here.
  return compactRs256(signed, rawSignature(signature));
}

/** The JWS of what `signingInput` gave and its RS256 signature (RFC 7518 §3.3), which JWS takes as it is. */
export function compactRs256(signed: Buffer, signature: Uint8Array): string {
  return `${signed.toString("latin1")}.${Buffer.from(signature).toString("base64url")}`;
}

const COORDINATE = 32;

/** `SEQUENCE { r INTEGER, s INTEGER }` of P-256, which is shorter than 128 bytes, as r‖s of 32 bytes each. */
function rawSignature(der: Uint8Array): Buffer {
  const raw = Buffer.alloc(2 * COORDINATE);
  const endOfR = 4 + (der[3] ?? 0);
  placeInteger(der.subarray(4, endOfR), raw, COORDINATE);
  placeInteger(der.subarray(endOfR + 2), raw, 2 * COORDINATE);
  return raw;
}

/** Copies an integer so that it ends at `end`, without the zero that keeps it positive. */
function placeInteger(integer: Uint8Array, target: Buffer, end: number): void {
  const magnitude = integer.length > COORDINATE ? integer.subarray(1) : integer;
  target.set(magnitude, end - magnitude.length);
}

function jsonOf(part: string): JsonObject {
  try {
    const value = parseJson(bytesOf(part), LIMITS);
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof AttestationFormatError)) throw error;
  }
  throw new JwsError("a part of it is not a JSON object");
}

function bytesOf(part: string): Uint8Array {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) throw new JwsError("a part of it is not base64url");
  return bytes;
}
