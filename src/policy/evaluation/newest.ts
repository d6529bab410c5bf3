import type { Facts } from "../facts.ts";

/**
 * Of what one signer says in one predicate type of one source, only the newest counts: an older passing scan does
 * not hide a newer failing one. The source is part of it because a shared workflow signs for everybody's
 * repositories, and a stranger's build must not displace the owner's; so is the instance that knows the signer, as one that a policy
 * does not believe must displace nothing that it does; so is the container that is spoken of, because
 * what is in one may be in another too. Evidence without a trusted time is neither older nor newer than other evidence.
 *
 * What is said of a revision is said of each reference that is named: a summary for a tag does not replace the one for the
 * branch. One that names none is about all.
 *
 * @returns the newest first, in whatever order it was given: what rules may spend is spent on that first
 */
export function newest(all: readonly Facts[]): Facts[] {
  const series = new Map<string, Series>();
  const dated = all.toSorted(newestFirst).map((facts) => {
    const key = seriesOf(facts);
    const own = series.get(key) ?? { latest: 0, unreferenced: 0, references: new Map() };
    series.set(key, own);
    note(own, facts);
    return { facts, own };
  });
  return dated.flatMap(({ facts, own }) => {
    const { signedAt, sourceRefs = [] } = facts;
    if (signedAt === undefined) return [facts];
    if (sourceRefs.length === 0) return signedAt === own.latest ? [facts] : [];
    const current = sourceRefs.filter(
      (ref) => signedAt === own.references.get(ref) && signedAt >= own.unreferenced,
    );
    return current.length === 0 ? [] : [{ ...facts, sourceRefs: current }];
  });
}

/** Evidence without a trusted time comes last. */
export function newestFirst(a: Facts, b: Facts): number {
  return (b.signedAt ?? 0) - (a.signedAt ?? 0) || (a.attestation < b.attestation ? -1 : 1);
}

/** When the newest of it was signed: of all, of what names no reference, and of each reference. */
interface Series {
  latest: number;
  unreferenced: number;
  readonly references: Map<string, number>;
}

function note(series: Series, { signedAt = 0, sourceRefs = [] }: Facts): void {
  series.latest = Math.max(series.latest, signedAt);
  if (sourceRefs.length === 0) series.unreferenced = Math.max(series.unreferenced, signedAt);
  for (const ref of sourceRefs) {
    series.references.set(ref, Math.max(signedAt, series.references.get(ref) ?? 0));
  }
}

function seriesOf({ predicateType, signer, source, containers }: Facts): string {
  const { issuer, identity, instance, key } = signer;
  const repository = signer.claims.sourceRepositoryUri ?? source.repository;
  return JSON.stringify([predicateType, issuer, identity, instance, key, repository, containers]);
}
