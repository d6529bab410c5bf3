import { cosignatureTime } from "./cosignature.ts";
import { parseNote, trustedSignatures } from "./note.ts";
import { reachesQuorum, type WitnessPolicy } from "./witness-policy.ts";

/** Who has cosigned a checkpoint, judged by a policy. */
export interface Witnessing {
  /** Each of the policy's witnesses that cosigned, once, in the policy's order. */
  readonly cosigned: readonly {
    /** The policy's name for it. */
    readonly witness: string;
    /** When, as it says; seconds since the epoch. */
    readonly time: number;
  }[];
  /** Whether they are enough. */
  readonly quorum: boolean;
  /** The names on lines of keys that are neither the log's nor those of the policy's witnesses. */
  readonly unknown: readonly string[];
}

/**
 * Checks a checkpoint's cosignatures. Whether the log signed it is asked elsewhere (`openCheckpoint`): lines
 * under the log's own name are passed over here.
 *
 * Throws `malformed-checkpoint` for what is no note, and for a false signature of a known witness.
 */
export function witnessesOf(note: string, policy: WitnessPolicy): Witnessing {
  const verifiers = policy.witnesses.map(({ verifier }) => verifier);
  const parsed = parseNote(note);
  const trusted = trustedSignatures(parsed, verifiers);
  const [origin] = parsed.text.split("\n", 1);
  const cosigned = policy.witnesses.flatMap(({ name, verifier }) => {
    const times = trusted
      .filter((line) => line.name === verifier.name && line.keyId === verifier.keyId)
      .map(({ signature }) => cosignatureTime(signature) ?? 0);
    return times.length === 0 ? [] : [{ witness: name, time: Math.max(...times) }];
  });
  return {
    cosigned,
    quorum: reachesQuorum(policy, new Set(cosigned.map(({ witness }) => witness))),
    unknown: parsed.signatures
      .filter((line) => line.name !== origin && !trusted.includes(line))
      .map(({ name }) => name),
  };
}
