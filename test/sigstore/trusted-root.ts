import { createHash, X509Certificate } from "node:crypto";
import type { JsonObject } from "../../src/in-toto-attestation/types.ts";

type Bytes = ArrayBufferView<ArrayBufferLike>;

interface Log {
  readonly url: string;
  /** SPKI, DER; ECDSA P-256. */
  readonly publicKey: Bytes;
  /** Of a log of tiles: its key is Ed25519, and its id is of name and key. */
  readonly tilesLogId?: Bytes;
}

interface Authority {
  readonly url: string;
  /** DER, leaf first and root last. */
  readonly certificates: readonly Bytes[];
}

/** A `trusted_root.json` (sigstore/protobuf-specs sigstore_trustroot.proto) for one of each service. */
export function trustedRoot(parts: {
  fulcio: Authority;
  ctLog: Log;
  rekor: readonly Log[];
  tsa: Authority;
}): JsonObject {
  return {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: parts.rekor.map((rekor) => log(rekor, parts.fulcio)),
    certificateAuthorities: [authority(parts.fulcio)],
    ctlogs: [log(parts.ctLog, parts.fulcio)],
    timestampAuthorities: [authority(parts.tsa)],
  };
}

/** Logs begin with the authority whose certificates they hold. */
function log({ url, publicKey, tilesLogId }: Log, beginsWith: Authority): JsonObject {
  const rawBytes = bytes(publicKey);
  const logId = tilesLogId === undefined ? createHash("sha256").update(rawBytes).digest() : bytes(tilesLogId);
  return {
    baseUrl: url,
    hashAlgorithm: "SHA2_256",
    publicKey: {
      rawBytes: rawBytes.toString("base64"),
      keyDetails: tilesLogId === undefined ? "PKIX_ECDSA_P256_SHA_256" : "PKIX_ED25519",
      validFor: { start: startOf(beginsWith) },
    },
    logId: { keyId: logId.toString("base64") },
  };
}

function authority(from: Authority): JsonObject {
  return {
    subject: { organization: "sigstore.local", commonName: "sigstore" },
    uri: from.url,
    certChain: {
      certificates: from.certificates.map((certificate) => ({
        rawBytes: bytes(certificate).toString("base64"),
      })),
    },
    validFor: { start: startOf(from) },
  };
}

function startOf({ certificates }: Authority): string {
  const root = certificates.at(-1);
  if (root === undefined) throw new TypeError("an authority needs a certificate");
  return new Date(new X509Certificate(bytes(root)).validFrom).toISOString();
}

function bytes(view: Bytes): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
