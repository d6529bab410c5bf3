import type { AttestedComponents } from "../attested-workload.ts";
import type { ProcessStatus } from "../process-status.ts";

/** A process as it was when its attestation began. Whether it still is so afterwards is looked at in one place, for all. */
export interface AttestedProcess {
  readonly pid: number;
  readonly status: ProcessStatus;
  /** Which file it runs, in which state: see `executableState`. */
  readonly executable: string;
}

/** What one attestor has to say of a process. */
export interface Attestation extends AttestedComponents {
  /** `name:…`, in SPIRE's words where SPIRE has them. */
  readonly selectors: readonly string[];
}

/** Knows one kind of thing that processes run as: a program of the host, a container, a pod's container. */
export interface Attestor {
  /** As messages call it. */
  readonly name: string;
  /**
   * `NOTHING` for a process that is none of its kind. Throws `VouchsafeError`: `identity-denied` where the process is
   * one that gets nothing, and `unavailable` where there is no answer now (the runtime is away). Either refuses
   * the process as a whole: nobody is attested by a part of what is true.
   */
  attest(process: AttestedProcess): Promise<Attestation>;
  /** Lets go of what it holds. */
  close?(): void;
}

export const NOTHING: Attestation = { selectors: [], components: {} };
