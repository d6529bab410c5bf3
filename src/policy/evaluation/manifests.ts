import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Containment } from "../question.ts";

const byContained = new WeakMap<readonly Containment[], ReadonlyMap<Digest, readonly Containment[]>>();

/**
 * What manifests say of what directly holds this. What holds something by being a manifest itself lies in others as a manifest
 * alone: a layer that looks like one is a file like any other, which its image's signers need not have looked into.
 *
 * @param isManifest whether the digest was come to as that of a manifest that holds something
 */
export function manifestsHolding(
  digest: Digest,
  isManifest: boolean,
  manifests: readonly Containment[],
): readonly Containment[] {
  // What was read is of many artifacts, and is gone through once and not for each.
  const known = byContained.get(manifests) ?? Map.groupBy(manifests, ({ contained }) => contained);
  byContained.set(manifests, known);
  return (known.get(digest) ?? []).filter(({ isBlob }) => !(isManifest && isBlob));
}
