import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { ed25519ph } from "@noble/curves/ed25519.js";
import { preAuthenticationEncoding } from "../../src/in-toto-attestation/index.ts";
import type { TrustedKey } from "../../src/trust/trusted-key.ts";

/** A key pair and how it signs: what a build system with its own keys has. */
export interface KeySigner {
  readonly name: string;
  readonly publicKey: KeyObject;
  /** Of what it signs; null where it signs the bytes themselves. */
  readonly hash: string | null;
  sign(bytes: Uint8Array): Buffer;
}

export const ec = (
  name: string,
  namedCurve: string,
  hash: string,
  dsaEncoding: "der" | "ieee-p1363",
): KeySigner => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve });
  return { name, publicKey, hash, sign: (bytes) => sign(hash, bytes, { key: privateKey, dsaEncoding }) };
};

export const rsa = (name: string, padding: number): KeySigner => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const signWith = (bytes: Uint8Array) => sign("sha256", bytes, { key: privateKey, padding });
  return { name, publicKey, hash: "sha256", sign: signWith };
};

function ed25519(): KeySigner {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { name: "ed25519", publicKey, hash: null, sign: (bytes) => sign(null, bytes, privateKey) };
}

/** As another library makes them: node:crypto cannot. Not taken of an envelope that no log was told of. */
export function prehashedEd25519(): KeySigner {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const seed = Buffer.from(`${privateKey.export({ format: "jwk" }).d}`, "base64url");
  const signWith = (bytes: Uint8Array) => Buffer.from(ed25519ph.sign(bytes, seed));
  return { name: "ed25519ph", publicKey, hash: "sha512", sign: signWith };
}

/** One of each kind of key and signature that is taken of any evidence. */
export const SIGNERS: readonly KeySigner[] = [
  ec("p256", "P-256", "sha256", "der"),
  ec("p256-raw", "P-256", "sha256", "ieee-p1363"),
  ec("p384", "P-384", "sha384", "der"),
  ec("p384-raw", "P-384", "sha384", "ieee-p1363"),
  ec("p384-sha256", "P-384", "sha256", "der"),
  ec("p521", "P-521", "sha512", "der"),
  ec("p521-raw", "P-521", "sha512", "ieee-p1363"),
  ed25519(),
  rsa("rsa-pkcs1", constants.RSA_PKCS1_PADDING),
  rsa("rsa-pss", constants.RSA_PKCS1_PSS_PADDING),
];

export function trustedKey(signer: KeySigner, changes: Partial<TrustedKey> = {}): TrustedKey {
  return {
    name: signer.name,
    publicKey: signer.publicKey.export({ type: "spki", format: "pem" }).toString(),
    ...changes,
  };
}

export const SUBJECT = `sha256:${"5".repeat(64)}`;

export const STATEMENT = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "widget.tgz", digest: { sha256: "5".repeat(64) } }],
  predicateType: "https://in-toto.io/attestation/test-result/v0.1",
  predicate: { result: "PASSED" },
};

export interface EnvelopeJson {
  payloadType: string;
  payload: string;
  signatures: { keyid?: string; sig: string }[];
}

/** A DSSE envelope over the statement, signed by each signer. */
export function envelope(
  signers: readonly KeySigner[],
  options: { readonly statement?: unknown; readonly payloadType?: string; readonly keyid?: string } = {},
): EnvelopeJson {
  const payload = Buffer.from(JSON.stringify(options.statement ?? STATEMENT));
  const payloadType = options.payloadType ?? "application/vnd.in-toto+json";
  const encoded = preAuthenticationEncoding(payloadType, payload);
  return {
    payloadType,
    payload: payload.toString("base64"),
    signatures: signers.map((signer) => ({
      ...(options.keyid === undefined ? {} : { keyid: options.keyid }),
      sig: signer.sign(encoded).toString("base64"),
    })),
  };
}

export const bytesOf = (json: unknown): Buffer => Buffer.from(JSON.stringify(json));
