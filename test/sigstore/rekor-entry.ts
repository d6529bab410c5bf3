import { createHash, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { canonicalJson } from "../../src/in-toto-attestation/json.ts";
import type { JsonObject } from "../../src/in-toto-attestation/types.ts";

/** What a client proposes, by kind and version (sigstore/rekor pkg/types). */
interface ProposedEntry {
  readonly apiVersion: string;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has a shape of its own; a wrong one fails its function
  readonly spec: any;
}

const KINDS = new Map<string, (spec: ProposedEntry["spec"]) => JsonObject>([
  ["dsse 0.0.1", dsse],
  ["intoto 0.0.1", intotoV1],
  ["intoto 0.0.2", intoto],
  ["hashedrekord 0.0.1", hashedrekord],
]);

/**
 * The canonical body that the log keeps for a proposed entry. Throws for a kind that it does not know and for
 * a signature that the proposed key did not make, as Rekor does.
 */
export function canonicalBody(proposed: ProposedEntry): Uint8Array {
  const { apiVersion, kind } = proposed;
  const canonical = KINDS.get(`${kind} ${apiVersion}`);
  if (canonical === undefined) throw new Error(`unknown entry kind ${kind} ${apiVersion}`);
  return Buffer.from(canonicalJson({ apiVersion, kind, spec: canonical(proposed.spec) }));
}

/** A request of Rekor v2's API (sigstore/rekor-tiles api/proto/rekor/v2/hashedrekord.proto), bytes in base64. */
export interface HashedRekordRequest {
  readonly digest: string;
  readonly signature: {
    readonly content: string;
    readonly verifier: { readonly keyDetails: "PKIX_ECDSA_P256_SHA_256" } & (
      | { readonly x509Certificate: { readonly rawBytes: string } }
      | { readonly publicKey: { readonly rawBytes: string } }
    );
  };
}

/** The canonical body that Rekor v2 keeps for it. Throws for a signature that the key did not make. */
export function canonicalTiledBody({ digest, signature }: HashedRekordRequest): Uint8Array {
  const { verifier } = signature;
  const key =
    "publicKey" in verifier
      ? createPublicKey({
          key: Buffer.from(verifier.publicKey.rawBytes, "base64"),
          format: "der",
          type: "spki",
        })
      : new X509Certificate(Buffer.from(verifier.x509Certificate.rawBytes, "base64")).publicKey;
  requireDigestSignature(key, Buffer.from(digest, "base64"), signature.content);
  return Buffer.from(
    canonicalJson({
      apiVersion: "0.0.2",
      kind: "hashedrekord",
      spec: { hashedRekordV002: { data: { algorithm: "SHA2_256", digest }, signature } },
    }),
  );
}

function dsse(spec: ProposedEntry["spec"]): JsonObject {
  const { envelope: text, verifiers } = spec.proposedContent;
  const envelope = JSON.parse(text);
  const payload = Buffer.from(envelope.payload, "base64");
  const [signature] = envelope.signatures;
  const [verifier] = verifiers;
  requireEnvelopeSignature(envelope.payloadType, payload, signature.sig, verifier);
  return {
    envelopeHash: sha256(Buffer.from(text)),
    payloadHash: sha256(payload),
    signatures: [{ signature: signature.sig, verifier }],
  };
}

/** The log keeps no signature, only the hash of the envelope that holds it. */
function intotoV1(spec: ProposedEntry["spec"]): JsonObject {
  const text: string = spec.content.envelope;
  const envelope = JSON.parse(text);
  const payload = Buffer.from(envelope.payload, "base64");
  requireEnvelopeSignature(envelope.payloadType, payload, envelope.signatures[0].sig, spec.publicKey);
  return {
    content: { hash: sha256(Buffer.from(text)), payloadHash: sha256(payload) },
    publicKey: spec.publicKey,
  };
}

/** Payload and signature come in base64 of base64; the log keeps the envelope without its payload. */
function intoto(spec: ProposedEntry["spec"]): JsonObject {
  const { envelope, hash } = spec.content;
  const [signature] = envelope.signatures;
  const payload = Buffer.from(once(envelope.payload), "base64");
  requireEnvelopeSignature(envelope.payloadType, payload, once(signature.sig), signature.publicKey);
  return {
    content: {
      envelope: { payloadType: envelope.payloadType, signatures: envelope.signatures },
      hash,
      payloadHash: sha256(payload),
    },
  };
}

function hashedrekord(spec: ProposedEntry["spec"]): JsonObject {
  const { data, signature } = spec;
  const key = publicKeyOf(signature.publicKey.content);
  requireDigestSignature(key, Buffer.from(data.hash.value, "hex"), signature.content);
  return {
    data: { hash: { algorithm: data.hash.algorithm, value: data.hash.value } },
    signature: { content: signature.content, publicKey: { content: signature.publicKey.content } },
  };
}

/** ECDSA P-256 over a digest, which node:crypto does not verify. */
function requireDigestSignature(key: KeyObject, digest: Buffer, signature: string): void {
  const { x, y } = key.export({ format: "jwk" });
  const point = Buffer.concat([
    Buffer.of(4),
    Buffer.from(`${x}`, "base64url"),
    Buffer.from(`${y}`, "base64url"),
  ]);
  const options = { prehash: false, format: "der", lowS: false } as const;
  if (!p256.verify(Buffer.from(signature, "base64"), digest, point, options)) {
    throw new Error("the signature does not verify");
  }
}

function requireEnvelopeSignature(type: string, payload: Buffer, signature: string, key: string): void {
  // DSSE pre-authentication encoding (secure-systems-lab/dsse protocol.md).
  const header = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  const signed = Buffer.concat([Buffer.from(header), payload]);
  if (!verify("sha256", signed, publicKeyOf(key), Buffer.from(signature, "base64"))) {
    throw new Error("the signature does not verify");
  }
}

/** The key of a certificate or a public key, as base64 of PEM. */
function publicKeyOf(encoded: string) {
  const pem = once(encoded);
  return pem.includes("CERTIFICATE") ? new X509Certificate(pem).publicKey : createPublicKey(pem);
}

function once(encoded: string): string {
  return Buffer.from(encoded, "base64").toString("utf8");
}

function sha256(bytes: Uint8Array): JsonObject {
  return { algorithm: "sha256", value: createHash("sha256").update(bytes).digest("hex") };
}
