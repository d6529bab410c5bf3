import type { ProjectId } from "../custody/events.ts";
import type { Database } from "../db/connection.ts";
import type { StoredAttestation } from "../db/decision-inputs.ts";
import { readEvidence } from "../db/evidence.ts";
import { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import type { VerifiedAttestation } from "../verify/verified-attestation.ts";
import { verifyEvidence } from "../verify/verify-evidence.ts";
import { createSizedCache } from "./sized-cache.ts";

/** Stored evidence, verified from its bytes: the database is never believed about what they say. */
export interface EvidenceStore {
  /** Takes an attestation that was verified just now from this many bytes into memory. */
  keep(project: ProjectId, attestation: VerifiedAttestation, bytes: number): void;
  /**
   * Verifies stored evidence under a trust snapshot, each at the time when it was accepted. What does not
   * verify under it is left out.
   */
  verified(
    project: ProjectId,
    stored: readonly StoredAttestation[],
    trust: TrustSnapshot,
  ): Promise<Map<Digest, VerifiedAttestation>>;
}

/**
 * Attestations kept after verification, of all projects. Most are some 10 kB; a bill of materials can be 16 MiB, and
 * a few thousand of those would be all the memory there is.
 */
const KEPT = { entries: 4096, bytes: 64 * 1024 * 1024 };
/** Evidence read at once while verifying many, unless one piece alone is larger. */
const PAGE = { entries: 64, bytes: 16 * 1024 * 1024 };

export function createEvidenceStore(database: Database): EvidenceStore {
  const kept = createSizedCache<VerifiedAttestation>(KEPT);

  function keep(project: ProjectId, attestation: VerifiedAttestation, bytes: number): void {
    kept.set(keyOf(project, attestation.id, attestation.trustHash), attestation, bytes);
  }

  return {
    keep,
    async verified(project, stored, trust) {
      const result = new Map<Digest, VerifiedAttestation>();
      const missing = stored.filter(({ id }) => {
        const hit = kept.get(keyOf(project, id, trust.hash));
        if (hit) result.set(id, hit);
        return hit === undefined;
      });
      for (const page of pagesOf(missing)) {
        for (const { id, bytes, verifiedAt } of await readEvidence(database.kysely, project, page)) {
          const attestation = attempt(() => verifyEvidence(bytes, trust, verifiedAt));
          if (attestation?.id !== id) continue;
          keep(project, attestation, bytes.length);
          result.set(id, attestation);
        }
      }
      return result;
    },
  };
}

function pagesOf(stored: readonly StoredAttestation[]): Digest[][] {
  const pages: Digest[][] = [];
  let bytes = PAGE.bytes;
  for (const { id, size } of stored) {
    bytes += size;
    const page = pages.at(-1);
    if (page === undefined || page.length >= PAGE.entries || bytes > PAGE.bytes) {
      pages.push([id]);
      bytes = size;
    } else page.push(id);
  }
  return pages;
}

function keyOf(project: ProjectId, id: Digest, trustHash: string): string {
  return `${project} ${id} ${trustHash}`;
}

function attempt(verify: () => VerifiedAttestation): VerifiedAttestation | undefined {
  try {
    return verify();
  } catch (error) {
    if (error instanceof VouchsafeError) return undefined;
    throw error;
  }
}
