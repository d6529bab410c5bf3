import { type JsonObject, type JsonValue, parseJson } from "../in-toto-attestation/index.ts";
import { parseCertificate } from "../x509/certificate.ts";
import { writePem } from "../x509/pem.ts";
import { items, known, text } from "./formats/members.ts";
import {
  type BodyHash,
  base64,
  innerText,
  isSame,
  onePem,
  readHash,
  refuseUnless,
} from "./log-entry-members.ts";
import type { Signed } from "./signed.ts";
import type { Content, LogEntry } from "./signed-evidence.ts";

/** The signing certificate, or the SubjectPublicKeyInfo of the signing key; DER. */
export type Verifier =
  | { readonly case: "certificate"; readonly der: Uint8Array }
  | { readonly case: "key"; readonly spki: Uint8Array };

/** The signature that a log's entry must be about, and nothing else. */
export interface LoggedSignature {
  readonly signature: Uint8Array;
  readonly verifier: Verifier;
  readonly content: Content;
  /** An envelope's pre-authentication encoding, or the message. */
  readonly signed: Signed;
}

type Binding = (spec: JsonValue | undefined, logged: LoggedSignature) => void;

/**
 * Kind and version → how its body names the signature (sigstore/rekor pkg/types, sigstore/rekor-tiles
 * api/proto/rekor/v2). `dsse 0.0.2` is absent: it was withdrawn, Rekor v2 logs an envelope as `hashedrekord 0.0.2`.
 */
const KINDS: ReadonlyMap<string, Binding> = new Map([
  ["hashedrekord 0.0.1", bindHashedRekord],
  ["hashedrekord 0.0.2", bindHashedRekordV2],
  ["dsse 0.0.1", bindDsse],
  ["intoto 0.0.1", bindIntotoV1],
  ["intoto 0.0.2", bindIntotoV2],
]);

/** Kinds that only a log of tiles (Rekor v2) writes: it gives no promises, and it is one tree. */
export const TILED_KINDS: ReadonlySet<string> = new Set(["hashedrekord 0.0.2"]);

const MAX_DEPTH = 8;
const MAX_SIGNATURES = 32;

const BODY = new Set(["apiVersion", "kind", "spec"]);

/**
 * Holds the body of a log's entry to the signature: the same signature, by the same certificate or key, over the
 * same content.
 *
 * Throws `VouchsafeError`, `AttestationFormatError` or `DerError`; all mean that it does not hold.
 */
export function bindBody({ kind, body }: LogEntry, logged: LoggedSignature): void {
  const bind = KINDS.get(kind);
  refuseUnless(bind !== undefined, "its kind is not taken");
  const { apiVersion, kind: name, spec } = known(parseJson(body, { maxDepth: MAX_DEPTH }), "body", BODY);
  const isOfKind = `${text(name, "kind")} ${text(apiVersion, "apiVersion")}` === kind;
  refuseUnless(isOfKind, "its body is of another kind");
  bind(spec, logged);
}

const HASHED_REKORD = new Set(["data", "signature"]);
const HASHED_DATA = new Set(["hash"]);
const HASHED_SIGNATURE = new Set(["content", "publicKey"]);
const HASHED_KEY = new Set(["content"]);

function bindHashedRekord(spec: JsonValue | undefined, logged: LoggedSignature): void {
  const { data, signature } = known(spec, "spec", HASHED_REKORD);
  const { algorithm, value } = readHash(known(data, "data", HASHED_DATA).hash, "data.hash");
  refuseUnless(isSame(logged.signed.digest(algorithm), value), "it is of other content");
  const { content, publicKey } = known(signature, "signature", HASHED_SIGNATURE);
  bindSignature(content, logged);
  bindPem(known(publicKey, "publicKey", HASHED_KEY).content, logged);
}

const TILED_SPEC = new Set(["hashedRekordV002"]);
const TILED_DATA = new Set(["algorithm", "digest"]);
const TILED_SIGNATURE = new Set(["content", "verifier"]);
const TILED_VERIFIER = new Set(["keyDetails", "x509Certificate", "publicKey"]);
const RAW_BYTES = new Set(["rawBytes"]);

/** protobuf-specs' HashAlgorithm → node:crypto's name. */
const PROTO_HASHES: ReadonlyMap<JsonValue | undefined, string> = new Map([
  ["SHA2_256", "sha256"],
  ["SHA2_384", "sha384"],
  ["SHA2_512", "sha512"],
]);

/** protobuf-specs' PublicKeyDetails of keys that sign a digest → the hash that they sign with. */
const KEY_DETAILS: ReadonlyMap<JsonValue | undefined, string> = new Map([
  ["PKIX_ECDSA_P256_SHA_256", "sha256"],
  ["PKIX_ECDSA_P384_SHA_384", "sha384"],
  ["PKIX_ECDSA_P384_SHA_256", "sha256"],
  ["PKIX_ECDSA_P521_SHA_512", "sha512"],
  ["PKIX_ECDSA_P521_SHA_256", "sha256"],
  ["PKIX_ED25519_PH", "sha512"],
  ["PKIX_RSA_PKCS1V15_2048_SHA256", "sha256"],
  ["PKIX_RSA_PKCS1V15_3072_SHA256", "sha256"],
  ["PKIX_RSA_PKCS1V15_4096_SHA256", "sha256"],
  ["PKIX_RSA_PSS_2048_SHA256", "sha256"],
  ["PKIX_RSA_PSS_3072_SHA256", "sha256"],
  ["PKIX_RSA_PSS_4096_SHA256", "sha256"],
]);

/** Protobuf's JSON of HashedRekordLogEntryV002, over whatever was signed: a message, or an envelope's encoding. */
function bindHashedRekordV2(spec: JsonValue | undefined, logged: LoggedSignature): void {
  const { data, signature } = known(known(spec, "spec", TILED_SPEC).hashedRekordV002, "spec", HASHED_REKORD);
  const { content, verifier } = known(signature, "signature", TILED_SIGNATURE);
  bindSignature(content, logged);
  const { keyDetails, x509Certificate, publicKey } = known(verifier, "verifier", TILED_VERIFIER);
  refuseUnless((x509Certificate === undefined) !== (publicKey === undefined), "it names no signer, or two");
  const { rawBytes } = known(x509Certificate ?? publicKey, "verifier", RAW_BYTES);
  bindVerifier(x509Certificate === undefined ? "key" : "certificate", base64(rawBytes), logged);

  const { algorithm, digest } = known(data, "data", TILED_DATA);
  const hash = PROTO_HASHES.get(algorithm);
  refuseUnless(hash !== undefined && hash === KEY_DETAILS.get(keyDetails), "its algorithms are not taken");
  refuseUnless(isSame(logged.signed.digest(hash), base64(digest)), "it is of other content");
}

const DSSE = new Set(["envelopeHash", "payloadHash", "signatures"]);
const DSSE_SIGNATURE = new Set(["signature", "verifier"]);

/** The payload's type is bound by the signature, which is over it. */
function bindDsse(spec: JsonValue | undefined, logged: LoggedSignature): void {
  const { envelopeHash, payloadHash, signatures } = known(spec, "spec", DSSE);
  const { documentHash } = bindPayload(payloadHash, logged);
  const uploaded = readHash(envelopeHash, "envelopeHash");
  // A bundle holds the envelope written anew, so that there the hash of what was uploaded says nothing.
  if (documentHash !== undefined) bindDocument(uploaded, documentHash);
  bindOneOf(signatures, logged, DSSE_SIGNATURE, ({ signature, verifier }) => [signature, verifier]);
}

const INTOTO_V1 = new Set(["content", "publicKey"]);
const INTOTO_V1_CONTENT = new Set(["hash", "payloadHash"]);

/** It names the signature only by the hash of the whole envelope as it was uploaded. */
function bindIntotoV1(spec: JsonValue | undefined, logged: LoggedSignature): void {
  const { content, publicKey } = known(spec, "spec", INTOTO_V1);
  const { hash, payloadHash } = known(content, "content", INTOTO_V1_CONTENT);
  const uploaded = readHash(hash, "hash");
  const { documentHash } = logged.content.case === "envelope" ? logged.content : {};
  refuseUnless(documentHash !== undefined, "it names an envelope whose own bytes are not at hand");
  bindDocument(uploaded, documentHash);
  // Early entries have none.
  if (payloadHash !== undefined) bindPayload(payloadHash, logged);
  bindPem(publicKey, logged);
}

const INTOTO_V2 = new Set(["content"]);
const INTOTO_V2_CONTENT = new Set(["envelope", "hash", "payloadHash"]);
const INTOTO_V2_ENVELOPE = new Set(["payload", "payloadType", "signatures"]);
const INTOTO_V2_SIGNATURE = new Set(["keyid", "sig", "publicKey"]);

/** Payload and signatures are in base64 of base64. The log takes `hash` as the client gives it, so it says nothing. */
function bindIntotoV2(spec: JsonValue | undefined, logged: LoggedSignature): void {
  const { envelope, hash, payloadHash } = known(
    known(spec, "spec", INTOTO_V2).content,
    "content",
    INTOTO_V2_CONTENT,
  );
  readHash(hash, "hash");
  const {
    payload: { bytes },
    payloadType: type,
  } = bindPayload(payloadHash, logged);
  const { payload, payloadType, signatures } = known(envelope, "envelope", INTOTO_V2_ENVELOPE);
  refuseUnless(payloadType === type, "it is of another type of payload");
  // Rekor leaves the payload out; what is there must be the same.
  refuseUnless(
    payload === undefined || isSame(base64(innerText(payload)), bytes),
    "it is of another payload",
  );
  bindOneOf(signatures, logged, INTOTO_V2_SIGNATURE, ({ sig, publicKey }) => [innerText(sig), publicKey]);
}

/** Some signature of the entry must be ours, by our signer: envelopes may have been signed by several. */
function bindOneOf(
  signatures: JsonValue | undefined,
  logged: LoggedSignature,
  members: ReadonlySet<string>,
  read: (item: JsonObject) => [signature: JsonValue | undefined, verifier: JsonValue | undefined],
): void {
  const own = items(signatures, "signatures", MAX_SIGNATURES)
    .map((item) => read(known(item, "signature", members)))
    .find(([signature]) => isSame(base64(signature), logged.signature));
  refuseUnless(own !== undefined, "it is of another signature");
  bindPem(own[1], logged);
}

function bindSignature(signature: JsonValue | undefined, logged: LoggedSignature): void {
  refuseUnless(isSame(base64(signature), logged.signature), "it is of another signature");
}

function bindDocument({ algorithm, value }: BodyHash, documentHash: string): void {
  const isOurs = algorithm === "sha256" && isSame(Buffer.from(documentHash, "hex"), value);
  refuseUnless(isOurs, "it is of another envelope");
}

/** The envelope, whose payload must have this hash. */
function bindPayload(hash: JsonValue | undefined, { content }: LoggedSignature) {
  refuseUnless(content.case === "envelope", "it is of an envelope");
  const { algorithm, value } = readHash(hash, "payloadHash");
  refuseUnless(isSame(content.payload.digest(algorithm), value), "it is of another payload");
  return content;
}

const PEM_LABELS: ReadonlyMap<string, Verifier["case"]> = new Map([
  ["CERTIFICATE", "certificate"],
  ["PUBLIC KEY", "key"],
]);

function bindPem(value: JsonValue | undefined, logged: LoggedSignature): void {
  const pem = innerText(value);
  // What is spelt as nearly everyone spells it need not be read.
  if (isUsualSpelling(pem, logged)) return;
  const { label, bytes } = onePem(pem);
  const kind = PEM_LABELS.get(label);
  refuseUnless(kind !== undefined, "its PEM block is neither a certificate nor a key");
  bindVerifier(kind, bytes, logged);
}

/**
 * The very certificate or key that signed. Some clients log a certificate's bare key, or their key with the
 * certificate that they have for it: then the key must be the same, and it was one key that signed.
 */
function bindVerifier(kind: Verifier["case"], bytes: Uint8Array, { verifier }: LoggedSignature): void {
  const own = verifier.case === "certificate" ? verifier.der : verifier.spki;
  const isOurs =
    kind === verifier.case ? isSame(own, bytes) : isSame(keyOf(verifier.case, own), keyOf(kind, bytes));
  refuseUnless(isOurs, "it is of another signer");
}

function keyOf(kind: Verifier["case"], bytes: Uint8Array): Uint8Array {
  return kind === "certificate" ? parseCertificate(bytes).spki : bytes;
}

/** The PEM text of the certificate or key itself, with or without the end of the last line. */
function isUsualSpelling(pem: string, { verifier }: LoggedSignature): boolean {
  const usual =
    verifier.case === "certificate"
      ? writePem("CERTIFICATE", verifier.der)
      : writePem("PUBLIC KEY", verifier.spki);
  return pem === usual || `${pem}\n` === usual;
}
