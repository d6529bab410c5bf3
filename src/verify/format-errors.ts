import { VouchsafeError } from "../errors.ts";
import { AttestationFormatError } from "../in-toto-attestation/index.ts";

/** Runs it, and throws what `in-toto-attestation/` throws as the service's error of the same code. */
export function withOurErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof AttestationFormatError)) throw error;
    throw new VouchsafeError(error.code, error.message, { cause: error });
  }
}
