import { hash } from "node:crypto";
import { digestOf } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { imageDigestIn } from "./image-digest.ts";
import { type Fields, fieldsOf, listOf, textOf } from "./json-fields.ts";

/** An index names a manifest for each platform, and as many attestations. */
const MAX_MANIFESTS = 64;
const MAX_LAYERS = 128;

/** Undefined where there are no such bytes here. */
export type ReadBlob = (digest: Digest) => Promise<Uint8Array | undefined>;

/**
 * The digest by which an image was pulled, where it or one of the manifests in it is made of these layers; undefined
 * where it is not, or the node has too little of it to tell.
 *
 * @param target of an index or a manifest (OCI image-spec); @param layers their chain id (image-spec, config.md,
 *   "Layer ChainID")
 *
 * Throws `Error` for bytes that are not of the digest, or no such document.
 */
export async function imageOfLayers(
  target: string,
  layers: string,
  read: ReadBlob,
): Promise<Digest | undefined> {
  const digest = imageDigestIn(target);
  if (digest === undefined) return undefined;
  const top = await readDocument(digest, read);
  if (top === undefined) return undefined;
  const manifests =
    top.manifests === undefined
      ? [top]
      : await Promise.all(
          listOf(top.manifests, "manifests")
            .slice(0, MAX_MANIFESTS)
            .map((descriptor) => readDocument(digestIn(descriptor), read)),
        );
  for (const manifest of manifests) {
    // Of the other platforms' manifests a node has none, and an index in an index is none that was unpacked.
    if (manifest?.config === undefined) continue;
    const config = await readDocument(digestIn(manifest.config), read);
    if (config !== undefined && chainIdOf(config) === layers) return digest;
  }
  return undefined;
}

async function readDocument(digest: Digest | undefined, read: ReadBlob): Promise<Fields | undefined> {
  const bytes = digest === undefined ? undefined : await read(digest);
  if (digest === undefined || bytes === undefined) return undefined;
  const [algorithm = "", hex] = digest.split(":");
  if (hash(algorithm, bytes) !== hex) throw new Error(`what containerd has of ${digest} is something else`);
  return fieldsOf(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), digest);
}

function digestIn(descriptor: unknown): Digest | undefined {
  return imageDigestIn(textOf(fieldsOf(descriptor, "descriptor").digest, "digest"));
}

/** Undefined for a config that names no layers: two images without layers are not the same for it. */
function chainIdOf(config: Fields): Digest | undefined {
  if (config.rootfs === undefined) return undefined;
  const diffIds = listOf(fieldsOf(config.rootfs, "rootfs").diff_ids, "diff_ids").map((diffId) =>
    textOf(diffId, "diff_id"),
  );
  if (diffIds.length > MAX_LAYERS) throw new Error(`the image has over ${MAX_LAYERS} layers`);
  const [first, ...others] = diffIds;
  if (first === undefined) return undefined;
  return others.reduce(
    (chain, diffId) => digestOf("sha256", hash("sha256", `${chain} ${diffId}`)),
    imageDigestIn(first),
  );
}
