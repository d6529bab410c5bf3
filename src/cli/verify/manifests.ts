import { VouchsafeError } from "../../errors.ts";
import { AttestationFormatError, type Digest, sha256 } from "../../in-toto-attestation/index.ts";
import { containmentsOf, parseManifest } from "../../oci/manifest.ts";
import { manifestsHolding } from "../../policy/evaluation/manifests.ts";
import type { Containment } from "../../policy/question.ts";
import { readBytes } from "../arguments/files.ts";
import { UsageError } from "../usage-error.ts";

/** What the manifests in files hold. Their bytes say so: whose files they are does not matter. */
export async function readManifests(files: readonly string[]): Promise<Containment[]> {
  const held = await Promise.all(files.map(async (file) => heldBy(file, await readBytes(file))));
  return held.flat();
}

/** What the manifest holds, of which people are told by this name. */
export function heldBy(name: string, bytes: Uint8Array): Containment[] {
  try {
    const manifest = parseManifest(bytes);
    return containmentsOf(sha256(bytes), manifest, manifest.contains);
  } catch (cause) {
    if (!(cause instanceof VouchsafeError || cause instanceof AttestationFormatError)) throw cause;
    throw new UsageError(`${name}: ${cause.message}`, { cause });
  }
}

/** What holds one of these, and what holds that. */
export function holdersOf(
  digests: readonly Digest[],
  manifests: readonly Containment[],
): ReadonlySet<Digest> {
  const holding = (digest: Digest, isManifest: boolean) =>
    manifestsHolding(digest, isManifest, manifests).map(({ container }) => container);
  const found = new Set(digests.flatMap((digest) => holding(digest, false)));
  // A set is walked to the end of what is added on the way.
  for (const digest of found) for (const container of holding(digest, true)) found.add(container);
  return found;
}
