import { type KeyObject, sign, verify } from "node:crypto";
import { formatSignatureLine, type NoteVerifier } from "./note.ts";
import { readVerifierKey, verifierKeyOf } from "./verifier-key.ts";

/*
 * Cosignatures (c2sp.org/tlog-cosignature), of the type cosignature/v1: a witness states that, as of a time, a
 * checkpoint is the largest that it has seen of its log, and that it extends all those that it saw before.
 */

/** A witness that signs. */
export interface Cosigner {
  readonly name: string;
  /** `name+hash+base64`, of the cosignature/v1 type. */
  readonly verifierKey: string;
  /** The signature line for a note's text, with its newline. @param time whole seconds since the epoch */
  cosign(text: string, time: number): string;
}

/** A witness whose cosignatures are believed. */
export interface CosignatureVerifier extends NoteVerifier {
  /** `name+hash+base64`. */
  readonly verifierKey: string;
}

/** A 64-bit time before the Ed25519 signature. */
const TIME_BYTES = 8;
const SIGNATURE_BYTES = TIME_BYTES + 64;

export function ed25519Cosigner(name: string, privateKey: KeyObject): Cosigner {
  const { keyId, verifierKey } = verifierKeyOf(name, "cosignature/v1", privateKey);
  return {
    name,
    verifierKey,
    cosign(text, time) {
      if (!Number.isSafeInteger(time) || time < 0) throw new RangeError(`${time} is no time`);
      const stamp = Buffer.alloc(TIME_BYTES);
      stamp.writeBigUInt64BE(BigInt(time));
      const signed = sign(null, cosigned(Buffer.from(text), time), privateKey);
      return formatSignatureLine({ name, keyId, signature: Buffer.concat([stamp, signed]) });
    },
  };
}

/** Reads a witness's verifier key. Throws `invalid-request`. */
export function parseCosignatureKey(text: string): CosignatureVerifier {
  const { name, keyId, publicKey } = readVerifierKey(text, "cosignature/v1");
  return {
    name,
    keyId,
    verifierKey: text,
    verify(note, signature) {
      const time = cosignatureTime(signature);
      if (time === undefined) return false;
      return verify(null, cosigned(note, time), publicKey, signature.subarray(TIME_BYTES));
    },
  };
}

/**
 * When a cosignature says that it was made, in seconds since the epoch; undefined for what is none. Times beyond
 * 2^53 − 1 are refused, of which the specification allows some.
 */
export function cosignatureTime(signature: Uint8Array): number | undefined {
  if (signature.length !== SIGNATURE_BYTES) return undefined;
  const time = Number(new DataView(signature.buffer, signature.byteOffset, TIME_BYTES).getBigUint64(0));
  return Number.isSafeInteger(time) ? time : undefined;
}

function cosigned(text: Uint8Array, time: number): Uint8Array {
  return Buffer.concat([Buffer.from(`cosignature/v1\ntime ${time}\n`), text]);
}
