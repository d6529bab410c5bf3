import type { ProjectId } from "../../custody/events.ts";
import type { Database } from "../../db/connection.ts";
import type { StoredAttestation } from "../../db/decision-inputs.ts";
import { readEvidence } from "../../db/evidence.ts";
import { isRefusal, VouchsafeError } from "../../errors.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import type { VerifiedAttestation } from "../../verify/verified-attestation.ts";
import type { Verifier } from "./verifier.ts";

/** Stored evidence, verified from its bytes: the database is never believed about what they say. */
export interface EvidenceStore {
  /**
   * Verifies stored evidence under a trust snapshot, each at the time when it was accepted. What does not
   * verify under it is left out.
   *
   * @throws VouchsafeError `unavailable` when it cannot be verified soon, `log-inconsistent` when its bytes were altered: to
   *   leave it out would be a verdict on it
   */
  verified(
    project: ProjectId,
    stored: readonly StoredAttestation[],
    trust: TrustSnapshot,
  ): Promise<Map<Digest, VerifiedAttestation>>;
}

/** Evidence read at once while verifying many, unless one piece alone is larger. */
const PAGE = { entries: 64, bytes: 16 * 1024 * 1024 };

export function createEvidenceStore(database: Database, verifier: Verifier): EvidenceStore {
  return {
    async verified(project, stored, trust) {
      const result = new Map<Digest, VerifiedAttestation>();
      const missing: StoredAttestation[] = [];
      for (const one of stored) {
        const remembered = verifier.recall(project, one.id, trust, one.verifiedAt);
        if (remembered === undefined) missing.push(one);
        else result.set(one.id, remembered);
      }
      for (const page of pagesOf(missing)) {
        const evidence = await readEvidence(database.kysely, project, page);
        for (const { id, bytes } of evidence) refuseAltered(id, bytes);
        const verified = await Promise.all(
          evidence.map(({ bytes, verifiedAt }) =>
            attempt(verifier.verify(project, bytes, trust, verifiedAt)),
          ),
        );
        for (const attestation of verified) {
          if (attestation !== undefined) result.set(attestation.id, attestation);
        }
      }
      return result;
    },
  };
}

function refuseAltered(id: Digest, bytes: Uint8Array): void {
  if (sha256(bytes) !== id) throw new VouchsafeError("log-inconsistent", `The evidence ${id} was altered`);
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

async function attempt(verifying: Promise<VerifiedAttestation>): Promise<VerifiedAttestation | undefined> {
  try {
    return await verifying;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
