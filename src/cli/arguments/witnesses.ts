import { VouchsafeError } from "../../errors.ts";
import { parseWitnessPolicy, type WitnessPolicy } from "../../tlog/witness-policy.ts";
import { UsageError } from "../usage-error.ts";
import { readBytes } from "./files.ts";

/** A witness policy (c2sp.org/tlog-policy) from a file. */
export async function readWitnesses(path: string): Promise<WitnessPolicy> {
  const bytes = await readBytes(path);
  try {
    return parseWitnessPolicy(bytes);
  } catch (cause) {
    if (!(cause instanceof VouchsafeError)) throw cause;
    throw new UsageError(`${path} is no witness policy: ${cause.message}`, { cause });
  }
}
