import type { EvidenceInputs } from "../../db/decision-inputs.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";

/** How much is looked at of the evidence about other artifacts, for one artifact. */
interface Budget {
  readonly attestations: number;
  readonly bytes: number;
}

/**
 * Enough for the commit that was built, however much was pushed about it, and some large containers. Anybody who may push
 * can have a manifest recorded that holds the artifact, and push about what it is of as much as about any artifact.
 */
const BUDGET: Budget = { attestations: 4_000, bytes: 256 * 1024 * 1024 };

/** Chooses, round by round, what of the related artifacts is looked at. */
export interface EvidenceBudget {
  /**
   * Those of the artifacts found whose evidence is looked at: of what each artifact leads to, in order, as long as there is
   * room for all evidence about it.
   *
   * @param wanted what each artifact newly leads to
   */
  choose(
    wanted: ReadonlyMap<Digest, readonly Digest[]>,
    found: Pick<EvidenceInputs, "attestations">,
  ): ReadonlySet<Digest>;
}

export function createEvidenceBudget(budget = BUDGET): EvidenceBudget {
  const left = new Map<Digest, Budget>();
  return {
    choose(wanted, { attestations }) {
      const chosen = new Set<Digest>();
      for (const [artifact, related] of wanted) {
        for (const digest of related) {
          const stored = attestations.get(digest) ?? [];
          const before = left.get(artifact) ?? budget;
          const after = {
            attestations: before.attestations - stored.length,
            bytes: stored.reduce((rest, { size }) => rest - size, before.bytes),
          };
          if (after.attestations < 0 || after.bytes < 0) continue;
          left.set(artifact, after);
          chosen.add(digest);
        }
      }
      return chosen;
    },
  };
}
