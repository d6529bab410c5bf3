import type { Digest } from "../in-toto-attestation/types.ts";
import type { VerifiedAttestation } from "../verify/verified-attestation.ts";
import { containersOf, evidenceAbout } from "./evaluation/containment.ts";
import { revisionsNamedBy } from "./evaluation/revisions.ts";
import type { Sayings } from "./facts.ts";
import type { VerificationPolicy } from "./policy.ts";

/** What a policy is asked: about which artifact, and on what evidence. */
export interface Question<E extends Sayings = VerifiedAttestation> extends Asked<E> {
  /** Evidence about other artifacts, by the digests that `relatedTo` names. */
  readonly others: ReadonlyMap<Digest, readonly E[]>;
}

/** Of a question, what judging it takes. */
export interface Asked<E extends Sayings> {
  readonly artifact: Digest;
  readonly evidence: readonly E[];
  readonly others: Pick<ReadonlyMap<Digest, readonly E[]>, "get">;
  /** What parsed manifests say of the artifact, of those that hold it, and so on upwards. */
  readonly manifests: readonly Containment[];
}

/** That the bytes of one artifact name the other as a part of it, as an image index names its manifests. */
export interface Containment {
  readonly container: Digest;
  readonly contained: Digest;
  /** Whether it is named there as something else than a manifest: then it holds nothing by being one. */
  readonly isBlob: boolean;
}

/** A question on this evidence alone: of no other artifact there is any. */
export function alone<E extends Sayings>(artifact: Digest, evidence: readonly E[]): Question<E> {
  return { artifact, evidence, others: new Map(), manifests: [] };
}

/**
 * The other artifacts whose evidence one of the policies would look at, sorted: those that hold this one, and commits that
 * were built. Evidence about them may name more: put what there is about each into `others`, and ask again until all are
 * there.
 */
export function relatedTo(policies: Iterable<VerificationPolicy>, question: Question<Sayings>): Digest[] {
  const found = new Set<Digest>();
  for (const { spec } of policies) {
    // What is too old to count now was not too old once.
    const containers = containersOf(spec, question, Number.NEGATIVE_INFINITY).map(({ digest }) => digest);
    for (const container of containers) found.add(container);
    for (const digest of [question.artifact, ...containers]) {
      for (const revision of revisionsNamedBy(spec, digest, evidenceAbout(digest, question)))
        found.add(revision);
    }
  }
  return [...found].sort();
}

/** The question that the policies ask where this is all the evidence that there is, about whatever. */
export function questionAmong<E extends Sayings>(
  policies: readonly VerificationPolicy[],
  artifact: Digest,
  all: readonly E[],
  manifests: readonly Containment[] = [],
): Question<E> {
  const others = new Map<Digest, readonly E[]>();
  const question = { artifact, evidence: all, others, manifests };
  for (;;) {
    const missing = relatedTo(policies, question).filter((digest) => !others.has(digest));
    if (missing.length === 0) return question;
    for (const digest of missing)
      others.set(
        digest,
        all.filter((one) => isAbout(one, digest)),
      );
  }
}

function isAbout({ subjects }: Sayings, digest: Digest): boolean {
  return subjects.some(({ digests }) => digests.includes(digest));
}
