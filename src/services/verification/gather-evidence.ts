import type { ProjectId } from "../../custody/events.ts";
import {
  type Revocation,
  type RevokedEvidence,
  revocationOf,
  withoutRevoked,
} from "../../custody/revocations.ts";
import type { RecordedContainment } from "../../db/containment.ts";
import { type EvidenceInputs, readEvidenceInputs, type StoredAttestation } from "../../db/decision-inputs.ts";
import { readEvidenceBelow } from "../../db/recorded-evidence.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { containmentsOf } from "../../oci/manifest.ts";
import type { VerificationPolicy } from "../../policy/policy.ts";
import { type Containment, type Question, relatedTo } from "../../policy/question.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import type { VerifiedAttestation } from "../../verify/verified-attestation.ts";
import type { Vouchsafe } from "../context.ts";
import { createEvidenceBudget } from "./evidence-budget.ts";

/** All that verdicts about some artifacts are made from, verified under one trust snapshot. */
export interface Gathered {
  /** The evidence about each artifact, and about each other one that the policies look at because of it. */
  readonly about: ReadonlyMap<Digest, readonly VerifiedAttestation[]>;
  readonly manifests: readonly Containment[];
  /** Evidence about each artifact that does not count because it was revoked, `removed` among it. */
  readonly revoked: ReadonlyMap<Digest, readonly RevokedEvidence[]>;
}

export interface GatherOptions {
  readonly policies: readonly VerificationPolicy[];
  readonly trust: TrustSnapshot;
  /** Evidence that they cover does not count. */
  readonly revocations: readonly Revocation[];
  /** Evidence about all of the artifacts that is not stored yet. */
  readonly added?: VerifiedAttestation;
  /** Stored evidence that does not count. */
  readonly removed?: Digest;
  /** Only what was there when the log had so many entries. */
  readonly below?: number;
}

/**
 * Gathers the evidence about artifacts, then that about what it leads to (containers, source revisions), and so on
 * until it leads no further. What is read later is at least as new as `inputs`: to rest on all of it as of their size
 * is safe. Of what there is too much evidence about (`createEvidenceBudget`) none counts.
 */
export async function gatherEvidence(
  v: Vouchsafe,
  project: ProjectId,
  inputs: EvidenceInputs,
  { policies, trust, revocations, added, removed, below }: GatherOptions,
): Promise<Gathered> {
  const artifacts = [...inputs.attestations.keys()];
  const about = new Map<Digest, VerifiedAttestation[]>();
  const revoked = new Map<Digest, RevokedEvidence[]>();
  const manifests: Containment[] = [];
  const budget = createEvidenceBudget();
  const leftOut = new Set<Digest>();
  let found: EvidenceInputs = inputs;
  for (;;) {
    const verified = await v.evidence.verified(project, distinct(found), trust);
    for (const [digest, stored] of found.attestations) {
      const isNew = added !== undefined && found === inputs;
      const all = [...stored.flatMap(({ id }) => verified.get(id) ?? []), ...(isNew ? [added] : [])];
      const split = splitRevoked(all, digest, revocations);
      about.set(
        digest,
        split.standing.filter(({ id }) => id !== removed),
      );
      revoked.set(digest, split.revoked);
    }
    manifests.push(...withoutRevoked(await asManifestsSay(v, project, found.manifests), revocations));
    // What is not looked at holds nothing: else a verdict would name it among what it was made from.
    const counted = manifests.filter(({ container }) => !leftOut.has(container));
    const wanted = new Map(
      artifacts.map((artifact) => {
        const related = relatedTo(policies, questionOf(artifact, { about, manifests: counted }));
        return [artifact, related.filter((digest) => !about.has(digest) && !leftOut.has(digest))];
      }),
    );
    const missing = [...new Set([...wanted.values()].flat())];
    if (missing.length === 0) return { about, manifests: counted, revoked };
    const read =
      below === undefined
        ? await readEvidenceInputs(v.database.kysely, project, missing)
        : await readEvidenceBelow(v.database.kysely, project, missing, below);
    const chosen = budget.choose(wanted, read);
    for (const digest of missing) if (!chosen.has(digest)) leftOut.add(digest);
    found = {
      attestations: new Map([...read.attestations].filter(([digest]) => chosen.has(digest))),
      manifests: read.manifests.filter(({ contained }) => chosen.has(contained)),
    };
  }
}

function splitRevoked(
  evidence: readonly VerifiedAttestation[],
  artifact: Digest,
  revocations: readonly Revocation[],
): { standing: VerifiedAttestation[]; revoked: RevokedEvidence[] } {
  const standing: VerifiedAttestation[] = [];
  const revoked: RevokedEvidence[] = [];
  for (const attestation of evidence) {
    const revocation = revocationOf(attestation, artifact, revocations);
    if (revocation === undefined) standing.push(attestation);
    else revoked.push({ attestation: attestation.id, revocation });
  }
  return { standing, revoked };
}

/** What holds what, read again from the manifests' bytes: as with evidence, the database is not believed about what they say. */
export async function asManifestsSay(
  { documents }: Vouchsafe,
  project: ProjectId,
  stored: readonly RecordedContainment[],
): Promise<readonly Containment[]> {
  const said = await Promise.all(
    [...Map.groupBy(stored, ({ container }) => container)].map(async ([container, rows]) => {
      const manifest = await documents.manifest(project, container);
      const contains = new Set(manifest.contains);
      const parts = rows.map(({ contained }) => contained).filter((digest) => contains.has(digest));
      return containmentsOf(container, manifest, parts);
    }),
  );
  return said.flat();
}

export function questionOf(
  artifact: Digest,
  { about, manifests }: Pick<Gathered, "about" | "manifests">,
): Question {
  return { artifact, evidence: about.get(artifact) ?? [], others: about, manifests };
}

function distinct({ attestations }: EvidenceInputs): StoredAttestation[] {
  return [...new Map([...attestations.values()].flat().map((one) => [one.id, one])).values()];
}
