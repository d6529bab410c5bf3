import type { Digest } from "../../in-toto-attestation/types.ts";
import { unixAttestor } from "../attestors/unix.ts";
import { denied } from "../denied.ts";
import { executableState } from "../executable.ts";
import { readProcessStatus } from "../process-status.ts";

/**
 * Finds what a process runs by its pid alone. That the pid still means the process that connected is for SPIRE to see to,
 * which looks once more after its plugins have answered; here it is one and the same process from the first look to the last.
 */
export function createPidAttestor() {
  const { attest } = unixAttestor();
  /** Throws `VouchsafeError` (`identity-denied`). */
  return async function attestPid(pid: number): Promise<readonly Digest[]> {
    const [status, executable] = await Promise.all([readProcessStatus(pid), executableState(pid)]);
    const { components, absent } = await attest({ pid, status, executable });
    const [after, state] = await Promise.all([readProcessStatus(pid), executableState(pid)]);
    if (status.startTime !== after.startTime || state !== executable) {
      throw denied("executable-changed", "The process ran another executable while it was attested");
    }
    const { executable: digests } = components;
    if (digests === undefined) {
      throw denied(absent?.executable ?? "component-missing", "No executable is known that says what runs");
    }
    return digests;
  };
}
