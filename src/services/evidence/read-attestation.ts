import { findEvidence } from "../../db/evidence.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

/**
 * The evidence's bytes as they were received.
 *
 * @throws VouchsafeError `not-found`, `evidence-expired`
 */
export async function readEvidence(
  v: Vouchsafe,
  { project }: Caller,
  text: string,
): Promise<{ mediaType: string; bytes: Uint8Array }> {
  const id = parseDigest(text);
  const evidence = await findEvidence(v.database.kysely, project, id);
  if (!evidence) throw new VouchsafeError("not-found", `There is no attestation ${id}`);
  if ("expired" in evidence) throw expired(id, evidence.expired);
  return { mediaType: evidence.mediaType, bytes: evidence.bytes };
}

/** Says of evidence that was accepted, and is gone, by which event. */
export function expired(id: Digest, index: number): VouchsafeError {
  return new VouchsafeError(
    "evidence-expired",
    `Retention deleted the bytes of ${id}: event ${index} of the log says so. What they said stands there still`,
    { extensions: { expired: index } },
  );
}
