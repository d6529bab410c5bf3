import { randomBytes } from "node:crypto";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";

export const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** An image of one platform: its index, its manifest, and what they name. */
export function anImage(layer: Digest = sha256(randomBytes(32))) {
  const descriptor = (mediaType: string, digest: Digest) => ({ mediaType, digest, size: 7 });
  const config = sha256(randomBytes(32));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: descriptor("application/vnd.oci.image.config.v1+json", config),
      layers: [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
    }),
  );
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [descriptor(MANIFEST, sha256(manifest))],
    }),
  );
  return { index, manifest, layer, config, digest: sha256(index) };
}
