import { readDocument as findDocument } from "../../db/evidence.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

/**
 * The bytes that an event names by their sha256: a policy document, a trust document or a manifest.
 *
 * @throws VouchsafeError `not-found`
 */
export async function readDocument(v: Vouchsafe, { project }: Caller, text: string): Promise<Uint8Array> {
  const hash = parseDigest(text);
  const document = await findDocument(v.database.kysely, project, hash);
  if (document === undefined) throw new VouchsafeError("not-found", `There is no document ${hash}`);
  return document.bytes;
}
