import { findRejection, rejectionsBy } from "../../db/rejections.ts";
import { type ErrorCode, hasCode } from "../../errors.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

/** Refused uploads that one caller can put into the log in an hour: the log is not a place to write to at will. */
export const REJECTIONS_PER_HOUR = 100;
const HOUR = 60 * 60 * 1000;

/**
 * Records that a known caller's upload was refused, once for each (bytes, code, trust) and within its quota. The
 * event stands in no artifact's chain: what was claimed about an artifact was not verified.
 */
export async function recordRejection(
  v: Vouchsafe,
  caller: Caller,
  bytes: Uint8Array,
  code: ErrorCode,
  trust: string,
): Promise<void> {
  const { kysely } = v.database;
  const digest = sha256(bytes);
  if ((await findRejection(kysely, caller.project, { digest, code, trust })) !== undefined) return;
  if ((await rejectionsBy(kysely, caller.project, caller.token, v.clock() - HOUR)) >= REJECTIONS_PER_HOUR)
    return;
  const recorded = v.writer.append({
    project: caller.project,
    asOf: v.projection.size,
    restsOn: [],
    events: [
      {
        type: "evidence.rejected",
        about: [],
        body: { digest, size: bytes.length, code, trust, caller: caller.token },
      },
    ],
  }); // Two uploads of the same bytes at once: the other one's record says it all.
  await recorded.catch((error: unknown) => {
    if (!hasCode(error, "conflict")) throw error;
  });
}
