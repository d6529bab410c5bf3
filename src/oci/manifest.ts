import { VouchsafeError } from "../errors.ts";
import {
  AttestationFormatError,
  type Digest,
  groundsAllow,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseDigest,
  parseJson,
} from "../in-toto-attestation/index.ts";

/** What an image index or an image manifest names as its parts. Its own digest is the hash of its bytes. */
export interface Manifest {
  readonly mediaType: string;
  /** Digests of the manifests of an index; of the config and the layers of a manifest. Sorted, each once. */
  readonly contains: readonly Digest[];
  /**
   * Those of them that an index names as manifests. What is named as anything else is none here, whatever its bytes look like: a
   * layer may be any file, also one that somebody else wrote.
   */
  readonly nested: readonly Digest[];
}

/** As much as registries take (OCI distribution-spec, "Pushing manifests"). */
export const MAX_MANIFEST = 4 * 1024 * 1024;
export const MAX_CONTAINED = 1024;
const MAX_DEPTH = 16;

const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Media type → which of the two it is. Docker's formats differ from OCI's in the media types alone. */
const KINDS: ReadonlyMap<string, "index" | "manifest"> = new Map([
  [OCI_INDEX, "index"],
  [OCI_MANIFEST, "manifest"],
  ["application/vnd.docker.distribution.manifest.list.v2+json", "index"],
  ["application/vnd.docker.distribution.manifest.v2+json", "manifest"],
]);

export const MANIFEST_TYPES: readonly string[] = [...KINDS.keys()];

/** The two bytes `{}`, which stand for "nothing" in manifests of everybody (image-spec, "Guidance for an empty descriptor"). */
const EMPTY = "application/vnd.oci.empty.v1+json";

/** Whether it is meant as a manifest, which no evidence is: `parseManifest` says whether it is one. */
export function looksLikeManifest(bytes: Uint8Array): boolean {
  try {
    const document = parseJson(bytes, { maxBytes: MAX_MANIFEST, maxDepth: MAX_DEPTH });
    return isJsonObject(document) && Object.hasOwn(document, "schemaVersion");
  } catch (error) {
    if (error instanceof AttestationFormatError) return false;
    throw error;
  }
}

/**
 * Reads an OCI image index or image manifest (image-spec v1.1, image-index.md and manifest.md), or one of Docker's
 * (manifest list, image manifest version 2 schema 2). What it refers to otherwise, its `subject`, is no part of it.
 *
 * Throws `VouchsafeError` `malformed-manifest` or `too-many-items`, and `AttestationFormatError` as `parseJson` does.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const document = parseJson(bytes, { maxBytes: MAX_MANIFEST, maxDepth: MAX_DEPTH });
  if (!isJsonObject(document)) throw malformed("it is not an object");
  if (document.schemaVersion !== 2) throw malformed("its schemaVersion is not 2");
  const mediaType = mediaTypeOf(document);
  const isIndex = KINDS.get(mediaType) === "index";
  const parts = isIndex
    ? descriptors(document.manifests, "manifests")
    : [descriptor(document.config, "config"), ...descriptors(document.layers, "layers")];
  if (parts.length > MAX_CONTAINED) {
    throw new VouchsafeError("too-many-items", `a manifest names at most ${MAX_CONTAINED} others`);
  }
  const named = parts.filter(({ type }) => type !== EMPTY);
  const nested = named.filter(({ type }) => isIndex && KINDS.has(type));
  return { mediaType, contains: digestsOf(named), nested: digestsOf(nested) };
}

/** That a manifest holds these of its parts, each with whether it is named as something else than a manifest. */
export function containmentsOf(
  container: Digest,
  { nested }: Manifest,
  parts: readonly Digest[],
): { readonly container: Digest; readonly contained: Digest; readonly isBlob: boolean }[] {
  const manifests = new Set(nested);
  return parts.map((contained) => ({ container, contained, isBlob: !manifests.has(contained) }));
}

function digestsOf(parts: readonly { readonly digest: Digest }[]): Digest[] {
  return [...new Set(parts.map(({ digest }) => digest))].sort();
}

/**
 * Its media type, which OCI's may leave out. What could be read as either kind is refused, because others could read it as
 * the other (CVE-2021-41190).
 */
function mediaTypeOf({ mediaType, manifests, config, layers }: JsonObject): string {
  const isIndex = manifests !== undefined;
  const isManifest = config !== undefined || layers !== undefined;
  if (isIndex === isManifest) throw malformed("it has to have either `manifests`, or `config` and `layers`");
  const written = mediaType ?? (isIndex ? OCI_INDEX : OCI_MANIFEST);
  const kind = typeof written === "string" ? KINDS.get(written) : undefined;
  if (typeof written !== "string" || kind === undefined)
    throw malformed("its mediaType is not one that is taken");
  if (kind !== (isIndex ? "index" : "manifest"))
    throw malformed("its members are not those of its mediaType");
  return written;
}

function descriptors(value: JsonValue | undefined, name: string): { digest: Digest; type: string }[] {
  if (!Array.isArray(value)) throw malformed(`\`${name}\` is not an array`);
  return value.map((item: JsonValue) => descriptor(item, name));
}

/** image-spec, descriptor.md: the three members that it must have. */
function descriptor(value: JsonValue | undefined, name: string): { digest: Digest; type: string } {
  if (!isJsonObject(value)) throw malformed(`\`${name}\` is no descriptor`);
  const { mediaType, digest, size } = value;
  if (typeof mediaType !== "string" || typeof digest !== "string") {
    throw malformed(`a descriptor of \`${name}\` lacks its mediaType or its digest`);
  }
  if (!Number.isSafeInteger(size) || Number(size) < 0)
    throw malformed(`a descriptor of \`${name}\` lacks its size`);
  return { digest: strongDigest(digest), type: mediaType };
}

/** Nothing is known of the bytes behind a digest that can be forged. */
function strongDigest(text: string): Digest {
  try {
    const digest = parseDigest(text);
    if (groundsAllow(digest)) return digest;
  } catch (cause) {
    if (!(cause instanceof AttestationFormatError)) throw cause;
    throw new VouchsafeError("malformed-manifest", "a descriptor's digest cannot be read", { cause });
  }
  throw malformed("a descriptor's digest is none of sha256, sha384 and sha512");
}

function malformed(what: string): VouchsafeError {
  return new VouchsafeError("malformed-manifest", `not an image index or manifest: ${what}`);
}
