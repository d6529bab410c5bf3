import { ApiError } from "../client/api-error.ts";
import { verifyLogKeys } from "../custody/log-keys/verify.ts";
import { VouchsafeError } from "../errors.ts";
import { AttestationFormatError, parseJson } from "../in-toto-attestation/index.ts";
import type { Monitor } from "./monitor.ts";

/**
 * Whether a key that was given by hand vouches for these, in a sentence: that it does is said, and believed in nothing
 * further. Who holds the log's key can vouch for any other.
 *
 * @param labels `name+hash`
 */
export async function vouchingFor(
  { trusted, readKeys }: Monitor,
  labels: readonly string[],
): Promise<string> {
  try {
    const { keys } = verifyLogKeys(parseJson(await readKeys()), trusted);
    const known = keys.filter(({ label, retired }) => labels.includes(label) && retired === undefined);
    if (known.length < labels.length) return "The log has no event by which it took them all on.";
    const entries = known.map(({ added }) => added.index).join(", ");
    return `A key that was given vouches for them, by entry ${entries}: look into it, and then give them as well.`;
  } catch (error) {
    if (
      error instanceof VouchsafeError ||
      error instanceof AttestationFormatError ||
      error instanceof ApiError
    )
      return `No key that was given is shown to vouch for them: ${error.message.replace(/\.$/, "")}.`;
    throw error;
  }
}
