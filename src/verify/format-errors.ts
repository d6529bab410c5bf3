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

/** What it gives; undefined where it throws an error of ours, which is said elsewhere. Any other error is a bug and goes on its way. */
export function orUndefined<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof VouchsafeError || error instanceof AttestationFormatError) return undefined;
    throw error;
  }
}
