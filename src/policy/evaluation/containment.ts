import { type Digest, groundsAllow } from "../../in-toto-attestation/index.ts";
import type { Facts, Sayings } from "../facts.ts";
import type { ContainmentRule, PolicySpec } from "../policy.ts";
import type { Asked } from "../question.ts";
import { shown, signerText } from "./check-text.ts";
import { isYoung } from "./checks.ts";
import { manifestsHolding } from "./manifests.ts";
import { factsAbout } from "./revisions.ts";
import { isSignedBy } from "./signed-by.ts";

/** The name of the check whose text says why a container stands for the artifact. */
export const CONTAINMENT_CHECK = "containment";

/** How many containers are looked at, of each nesting the first by their digests; and how many lie in each other. */
export const MAX_CONTAINERS = 64;
const MAX_DEPTH = 8;

/** An artifact that holds the one in question, and how that is known: from that one upwards. */
export interface Container {
  readonly digest: Digest;
  readonly path: readonly Link[];
}

interface Link {
  readonly container: Digest;
  /** The statement that says so; absent where the container's own bytes do. */
  readonly statement?: Facts;
  /** When it ceases to count, in milliseconds since the epoch. */
  readonly expires?: number;
}

/**
 * The artifacts that hold this one, the nearest first: a parsed manifest says so, or a signer whose word the policy takes for
 * it. Never downwards. Only what sha256, sha384 or sha512 names is held, or holds.
 *
 * @param now milliseconds since the epoch
 */
export function containersOf(spec: PolicySpec, question: Asked<Sayings>, now: number): Container[] {
  const { artifact } = question;
  const found = new Map<Digest, Container>();
  let level: readonly Container[] = groundsAllow(artifact) ? [{ digest: artifact, path: [] }] : [];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth += 1) {
    const next = new Map<Digest, Container>();
    for (const { digest, path } of level) {
      for (const link of linksFrom(spec, digest, path.at(-1), question, now)) {
        const { container } = link;
        // No bytes hold their own hash, but a signer may say so.
        if (container === artifact || found.has(container) || next.has(container)) continue;
        next.set(container, { digest: container, path: [...path, link] });
      }
    }
    level = [...next.values()]
      .sort((a, b) => (a.digest < b.digest ? -1 : 1))
      .slice(0, MAX_CONTAINERS - found.size);
    for (const container of level) found.set(container.digest, container);
  }
  return [...found.values()];
}

/** Evidence about the artifact that is asked about, or about another. */
export function evidenceAbout<E extends Sayings>(
  digest: Digest,
  { artifact, evidence, others }: Asked<E>,
): readonly E[] {
  return digest === artifact ? evidence : (others.get(digest) ?? []);
}

/**
 * Manifests first, and of what signers say what counts longest.
 *
 * @param below the link by which the digest was come to
 */
function linksFrom(
  spec: PolicySpec,
  digest: Digest,
  below: Link | undefined,
  question: Asked<Sayings>,
  now: number,
): Link[] {
  const stated =
    spec.containment === undefined ? [] : statedLinks(spec, spec.containment, digest, question, now);
  const isManifest = below !== undefined && below.statement === undefined;
  const parsed = manifestsHolding(digest, isManifest, question.manifests);
  const links = [...parsed.map(({ container }) => ({ container })), ...stated];
  return links.filter(({ container }) => groundsAllow(container));
}

function statedLinks(
  spec: PolicySpec,
  { signers, maxAge }: ContainmentRule,
  digest: Digest,
  question: Asked<Sayings>,
  now: number,
): Link[] {
  return factsAbout(spec, digest, evidenceAbout(digest, question))
    .filter((facts) => signers.some((signer) => isSignedBy(signer, facts)) && isYoung(maxAge, facts, now))
    .flatMap((statement) => {
      const { signedAt = 0, containers = [] } = statement;
      return containers.map((container) => ({
        container,
        statement,
        ...(maxAge !== undefined && { expires: signedAt + maxAge }),
      }));
    })
    .sort(longestFirst);
}

function longestFirst(a: Link, b: Link): number {
  const [first, second] = [a.expires ?? Number.MAX_VALUE, b.expires ?? Number.MAX_VALUE];
  return second - first || ((a.statement?.attestation ?? "") < (b.statement?.attestation ?? "") ? -1 : 1);
}

/** Why the container holds the artifact, in words. */
export function pathText({ path }: Container): string {
  return path
    .map(({ container, statement }) => {
      const by = statement === undefined ? "its manifest" : `the word of ${shown(signerText(statement))}`;
      return `in ${container} by ${by}`;
    })
    .join(", ");
}
