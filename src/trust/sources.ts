import type { InstanceDocument } from "./snapshot.ts";
import { parseTrustedRoot } from "./trusted-root-file.ts";
import { readTufTarget, type TufOptions, type TufTarget } from "./tuf.ts";
import { parseTufSource, type TufSource } from "./tuf-source.ts";

export interface RefreshedInstance {
  /** As the repository publishes it now; its other members as they were. */
  readonly instance: InstanceDocument;
  readonly answer: Pick<TufTarget, "from" | "problem" | "expires">;
}

/**
 * An instance as its TUF repository publishes it now. What is cached counts until it expires.
 *
 * Throws `VouchsafeError`: `unavailable` when the repository cannot vouch for any, `invalid-trust` for a source or
 * a trusted root that is not one.
 */
export async function refreshInstance(
  instance: Omit<InstanceDocument, "trustedRoot"> & { readonly tuf: TufSource },
  options: TufOptions,
): Promise<RefreshedInstance> {
  const source = parseTufSource({ ...instance.tuf }, instance.name);
  const { bytes, root, targetsVersion, ...answer } = await readTufTarget(source, options);
  const trustedRoot = parseTrustedRoot(bytes, `${source.repository}: ${source.target}`);
  return { instance: { ...instance, trustedRoot, tuf: { ...instance.tuf, root, targetsVersion } }, answer };
}
