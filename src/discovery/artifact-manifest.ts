import {
  AttestationFormatError,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "../in-toto-attestation/index.ts";
import { MAX_MANIFEST } from "../oci/manifest.ts";

/** A descriptor of an OCI document: the members that are looked at, and all of them. */
export interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType: string;
  readonly size: number;
  readonly json: JsonObject;
}

/** What an index lists, or a manifest's layers, and what the manifest says it is about. */
export interface Listed {
  readonly descriptors: readonly Descriptor[];
  readonly subject?: string;
}

/** Manifests carry annotations of strangers. */
const MAX_DEPTH = 16;

/**
 * Reads an image index as referrers are listed in it, or a manifest whose layers are evidence (image-spec v1.1,
 * "Guidelines for artifact usage"). Items that are no descriptors are passed over: a list may name anything.
 * Undefined for what is neither.
 */
export function readListed(bytes: Uint8Array): Listed | undefined {
  const document = jsonIn(bytes);
  if (!isJsonObject(document)) return undefined;
  const items = document.manifests ?? document.layers;
  if (!Array.isArray(items)) return undefined;
  const { subject } = document;
  return {
    descriptors: items.flatMap((item: JsonValue) => descriptorIn(item) ?? []),
    ...(isJsonObject(subject) && typeof subject.digest === "string" && { subject: subject.digest }),
  };
}

function descriptorIn(item: JsonValue): Descriptor | undefined {
  if (!isJsonObject(item)) return undefined;
  const { digest, mediaType, artifactType = "", size } = item;
  if (typeof digest !== "string" || typeof mediaType !== "string" || typeof artifactType !== "string")
    return undefined;
  if (!/^(sha256|sha384|sha512):[0-9a-f]{64,128}$/.test(digest) || typeof size !== "number") return undefined;
  return { digest, mediaType, artifactType, size, json: item };
}

function jsonIn(bytes: Uint8Array): JsonValue | undefined {
  try {
    return parseJson(bytes, { maxBytes: MAX_MANIFEST, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (error instanceof AttestationFormatError) return undefined;
    throw error;
  }
}
