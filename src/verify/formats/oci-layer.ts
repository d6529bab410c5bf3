import { VouchsafeError } from "../../errors.ts";
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "../../in-toto-attestation/index.ts";
import type { EvidenceSignature, SignedEvidence } from "../signed-evidence.ts";
import { ENVELOPE_MEDIA_TYPE } from "./dsse-envelope.ts";
import { type LoggedEnvelope, readLoggedEnvelope } from "./logged-envelope.ts";
import { base64, known, malformed, text } from "./members.ts";
import { certificatesIn, oneCertificate } from "./pem-certificates.ts";
import { readRekorBundle } from "./rekor-bundle.ts";

/** What one descriptor by itself is called (opencontainers/image-spec media-types.md). */
const DESCRIPTOR_MEDIA_TYPE = "application/vnd.oci.descriptor.v1+json";
const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";

const MAX_CHAIN = 8;
const DESCRIPTOR = new Set(["mediaType", "digest", "size", "urls", "annotations", "data", "artifactType"]);
const TIMESTAMP = new Set(["SignedRFC3161Timestamp"]);

/**
 * Reads a layer in which cosign attached an attestation to an image, up to cosign 2: an OCI descriptor
 * (image-spec descriptor.md) whose annotations hold certificate and log entry, with the envelope itself embedded in
 * its `data`. Such a document is made by `embedLayer`.
 *
 * Throws `VouchsafeError` (`malformed-bundle`, `unknown-evidence-format`) or `AttestationFormatError`.
 */
export function readOciLayer(json: JsonObject): SignedEvidence {
  const { mediaType, digest, size, data, annotations } = known(json, "descriptor", DESCRIPTOR);
  if (mediaType === SIMPLE_SIGNING) {
    throw new VouchsafeError(
      "unknown-evidence-format",
      "cosign's simple signing names an image and says nothing about it; push an attestation of it",
    );
  }
  if (mediaType !== ENVELOPE_MEDIA_TYPE) throw malformed("the layer is not a DSSE envelope");
  const bytes = base64(data, "data");
  const envelope = readLoggedEnvelope(bytes);
  const { content } = envelope;
  if (digest !== `sha256:${content.documentHash}` || size !== bytes.length) {
    throw malformed("data is not what the descriptor's digest and size name");
  }
  return {
    mediaType: DESCRIPTOR_MEDIA_TYPE,
    content,
    signatures: [readSignature(envelope, annotations)],
  };
}

function readSignature(
  { sig, keyid }: LoggedEnvelope,
  annotations: JsonValue | undefined,
): EvidenceSignature {
  // Whoever copies an image may annotate its layers: what is not cosign's is passed over.
  const noted = isJsonObject(annotations) ? annotations : {};
  const certificate = noted["dev.sigstore.cosign/certificate"];
  const chain = noted["dev.sigstore.cosign/chain"];
  const bundle = noted["dev.sigstore.cosign/bundle"];
  const timestamp = noted["dev.sigstore.cosign/rfc3161timestamp"];
  return {
    signature: sig,
    signer:
      certificate === undefined
        ? { case: "key", ...(keyid === undefined ? {} : { hint: keyid }) }
        : {
            case: "certificate",
            leaf: oneCertificate(text(certificate, "certificate"), "the certificate"),
            intermediates:
              chain === undefined ? [] : certificatesIn(text(chain, "chain"), "the chain", MAX_CHAIN),
          },
    logEntries: bundle === undefined ? [] : [readRekorBundle(jsonIn(bundle, "bundle"))],
    timestamps: timestamp === undefined ? [] : [readTimestamp(jsonIn(timestamp, "rfc3161timestamp"))],
  };
}

function readTimestamp(value: JsonValue): Uint8Array {
  const { SignedRFC3161Timestamp } = known(value, "rfc3161timestamp", TIMESTAMP);
  return base64(SignedRFC3161Timestamp, "SignedRFC3161Timestamp");
}

function jsonIn(value: JsonValue, what: string): JsonValue {
  return parseJson(Buffer.from(text(value, what)));
}

/**
 * One document of a layer's descriptor and the envelope that is its blob, byte for byte as the registry gave it.
 * What does not fit together is refused when the document is read.
 */
export function embedLayer(descriptor: JsonObject, envelope: Uint8Array): Uint8Array {
  return Buffer.from(canonicalJson({ ...descriptor, data: Buffer.from(envelope).toString("base64") }));
}
