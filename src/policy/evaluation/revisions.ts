import { type Digest, revisionDigests } from "../../in-toto-attestation/index.ts";
import { type Facts, factsOf, type Sayings, type Source } from "../facts.ts";
import { type ArtifactSelector, asksAboutSource, type PolicySpec } from "../policy.ts";
import type { Asked } from "../question.ts";
import { newest } from "./newest.ts";
import { isSignedBy } from "./signed-by.ts";
import { checkSource } from "./source-check.ts";

/** What counts of the evidence about the artifact. */
export function factsAbout(
  { artifacts }: Pick<PolicySpec, "artifacts">,
  artifact: Digest,
  evidence: readonly Sayings[],
): Facts[] {
  return newest(
    evidence.flatMap((one) => factsOf(one, artifact, (name) => nameMatches(artifacts, name)) ?? []),
  );
}

export function nameMatches({ names }: ArtifactSelector, name: string): boolean {
  return names === undefined || names.some((glob) => glob.matches(name));
}

/** What counts of the evidence about the commit, by whichever digest it names it. */
export function factsOfRevision({ commit = "" }: Source, others: Asked<Sayings>["others"]): Facts[] {
  const found = new Map<Digest, Facts>();
  for (const digest of revisionDigests(commit)) {
    for (const one of others.get(digest) ?? []) {
      const facts = found.has(one.id) ? undefined : factsOf(one, digest, () => true);
      if (facts !== undefined) found.set(one.id, facts);
    }
  }
  return newest([...found.values()]);
}

/** The digests of the commits that these attestations name as what was built, sorted. */
export function revisionsOf(facts: readonly Facts[]): Digest[] {
  return [...new Set(facts.flatMap(({ source }) => revisionDigests(source.commit ?? "")))].sort();
}

/** Whether it could be what the policy's own sections ask about, as far as signer and source tell. */
function couldBeMain({ signers, source }: PolicySpec, facts: Facts): boolean {
  return (
    signers.some((signer) => isSignedBy(signer, facts)) &&
    checkSource(source, facts).every(({ passed }) => passed)
  );
}

/** The digests of commits that evidence would have to be about to count under the policy, as far as this evidence tells. */
export function revisionsNamedBy(spec: PolicySpec, artifact: Digest, evidence: readonly Sayings[]): Digest[] {
  if (!asksAboutSource(spec)) return [];
  return revisionsOf(factsAbout(spec, artifact, evidence).filter((facts) => couldBeMain(spec, facts)));
}

/**
 * What evidence calls the artifact by other algorithms, as long as a signer says so whom the policy trusts: a quarantine of
 * any of these digests is of all. Also what newer evidence took the place of: to leave a digest out does not part them.
 */
export function otherDigests(spec: PolicySpec, artifact: Digest, evidence: readonly Sayings[]): Digest[] {
  return evidence
    .filter(({ subjects }) =>
      subjects.some(({ digests }) => digests.length > 1 && digests.includes(artifact)),
    )
    .flatMap((one) => factsOf(one, artifact, () => true) ?? [])
    .filter((facts) => couldBeMain(spec, facts))
    .flatMap((facts) => facts.otherDigests);
}
