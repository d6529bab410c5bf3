import type { Digest } from "../in-toto-attestation/types.ts";
import type { VerifiedAttestation } from "../verify/verified-attestation.ts";
import type { Sayings } from "./facts.ts";
import type { VerificationPolicy } from "./policy.ts";

/** What a policy is asked: about which artifact, and on what evidence. */
export interface Question<E extends Sayings = VerifiedAttestation> {
  readonly artifact: Digest;
  readonly evidence: readonly E[];
  /** Evidence about other artifacts, each under every digest that it is asked for by: see `relatedTo`. */
  readonly others: ReadonlyMap<Digest, readonly E[]>;
  /** What parsed manifests say of the artifact, of those that hold it, and so on upwards. */
  readonly manifests: readonly Containment[];
}

/** That the bytes of one artifact name the other as a part of it, as an image index names its manifests. */
export interface Containment {
  readonly container: Digest;
  readonly contained: Digest;
}

/** A question on this evidence alone: of no other artifact there is any. */
export function alone<E extends Sayings>(artifact: Digest, evidence: readonly E[]): Question<E> {
  return { artifact, evidence, others: new Map(), manifests: [] };
}

/**
 * The other artifacts whose evidence one of the policies would look at, sorted: source revisions that the evidence names,
 * and containers. More evidence may name more: add what there is about these to `others` (and their containers to
 * `manifests`), and ask again until it names none that is not in `others`.
 */
export function relatedTo(
  _policies: Iterable<VerificationPolicy>,
  { artifact, manifests }: Question<Sayings>,
): Digest[] {
  const found = new Set([artifact]);
  // A set is walked to the end of what is added on the way.
  for (const digest of found) {
    for (const { container, contained } of manifests) if (contained === digest) found.add(container);
  }
  found.delete(artifact);
  return [...found].sort();
}
