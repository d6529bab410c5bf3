import { isDenial } from "../denied.ts";
import type { Attestor } from "./attestor.ts";

export interface AttestorLogEntry {
  readonly event: "attestor unavailable" | "attestor back";
  readonly attestor: string;
  readonly reason?: string;
}

/**
 * Tells the operator when an attestor ceases to answer, and when it answers again: streams that stand meanwhile tell
 * nobody. A denial is an answer.
 */
export function reported(attestor: Attestor, log: (entry: AttestorLogEntry) => void): Attestor {
  const { name } = attestor;
  let isAway = false;
  const answers = () => {
    if (isAway) log({ event: "attestor back", attestor: name });
    isAway = false;
  };
  return {
    ...attestor,
    async attest(process) {
      try {
        const attestation = await attestor.attest(process);
        // Of who is no container's, nobody was asked.
        if (attestation.selectors.length > 0) answers();
        return attestation;
      } catch (error) {
        if (isDenial(error)) throw error;
        if (!isAway) log({ event: "attestor unavailable", attestor: name, reason: (error as Error).message });
        isAway = true;
        throw error;
      }
    },
  };
}
