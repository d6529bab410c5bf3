import { groundsAllow, parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";

/**
 * The digest in a reference to an image, `name@sha256:…`, or in an image's id, `sha256:…` or the bare hex that Podman
 * and CRI-O write; undefined where there is none that could ground an identity.
 */
export function imageDigestIn(reference: string): Digest | undefined {
  const text = reference.slice(reference.lastIndexOf("@") + 1);
  try {
    const digest = parseDigest(/^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text);
    return groundsAllow(digest) ? digest : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What to ask about an image: the digest by which it was pulled where there is exactly one, because that is what
 * signers sign and registries list (an index or a manifest); otherwise the image's own.
 */
export function imageDigestOf(pulledAs: readonly string[], id: string): Digest | undefined {
  const [digest, ...others] = new Set(pulledAs.map(imageDigestIn));
  return digest !== undefined && others.length === 0 ? digest : imageDigestIn(id);
}
