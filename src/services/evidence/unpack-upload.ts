import { isRefusal } from "../../errors.ts";
import { withOurErrors } from "../../verify/format-errors.ts";
import { splitJsonLines, unpackEvidence } from "../../verify/formats/unpack.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { currentTrust } from "./push-attestation.ts";
import { recordRejection } from "./record-rejection.ts";

/** How an upload is framed: JSON Lines by its Content-Type; a document says itself whether it holds several pieces. */
export type Framing = "lines" | "document";

/**
 * The pieces of evidence in an upload that holds several, each to be pushed by itself; undefined for an upload that
 * is one piece, or none.
 *
 * @throws VouchsafeError for lines that are too many or none, and for a container whose pieces cannot be had: that
 * refusal is recorded
 */
export async function unpackUpload(
  v: Vouchsafe,
  caller: Caller,
  bytes: Uint8Array,
  framing: Framing,
): Promise<Uint8Array[] | undefined> {
  if (framing === "lines") return splitJsonLines(bytes);
  try {
    return withOurErrors(() => unpackEvidence(bytes));
  } catch (error) {
    if (isRefusal(error)) {
      const { hash } = await currentTrust(v, caller);
      await recordRejection(v, caller, bytes, error.code, hash);
    }
    throw error;
  }
}
