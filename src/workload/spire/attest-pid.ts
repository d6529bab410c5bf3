import type { Digest } from "../../in-toto-attestation/types.ts";
import { attestProcess } from "../attest-process.ts";
import type { Attestor } from "../attestors/attestor.ts";
import { denied } from "../denied.ts";

/**
 * The digests of what a process runs, of each of these components, found by its pid alone. That the pid still means the
 * process that called is for SPIRE to see to, which looks once more after its plugins have answered.
 *
 * Throws `VouchsafeError`: `identity-denied`, where a component is not there among others; `unavailable`.
 */
export async function attestPid(
  pid: number,
  attestors: readonly Attestor[],
  names: readonly string[],
): Promise<readonly Digest[]> {
  const { components, absent } = await attestProcess(pid, { attestors });
  return names.flatMap((name) => {
    const digests = components[name];
    if (digests !== undefined) return digests;
    throw denied(absent?.[name] ?? "component-missing", `Nothing is known of its component ${name}`);
  });
}
