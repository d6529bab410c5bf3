import { VouchsafeError } from "../../errors.ts";
import { AttestationFormatError, type Digest, sha256 } from "../../in-toto-attestation/index.ts";
import { parseManifest } from "../../oci/manifest.ts";
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
    return parseManifest(bytes).contains.map((contained) => ({ container: sha256(bytes), contained }));
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
  const found = new Set(digests);
  // A set is walked to the end of what is added on the way.
  for (const digest of found) {
    for (const { container, contained } of manifests) if (contained === digest) found.add(container);
  }
  for (const digest of digests) found.delete(digest);
  return found;
}
