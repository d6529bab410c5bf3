import { findEvidence } from "../db/evidence.ts";
import { VouchsafeError } from "../errors.ts";
import { parseDigest } from "../in-toto-attestation/digest.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";

/**
 * The evidence's bytes as they were received.
 *
 * @throws VouchsafeError `not-found`
 */
export async function readEvidence(
  v: Vouchsafe,
  { project }: Caller,
  text: string,
): Promise<{ mediaType: string; bytes: Uint8Array }> {
  const id = parseDigest(text);
  const evidence = await findEvidence(v.database.kysely, project, id);
  if (!evidence) throw new VouchsafeError("not-found", `There is no attestation ${id}`);
  return { mediaType: evidence.mediaType, bytes: evidence.bytes };
}
