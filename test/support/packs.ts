import { buffer } from "node:stream/consumers";
import type { Caller } from "../../src/services/caller.ts";
import type { Vouchsafe } from "../../src/services/context.ts";
import { exportPack } from "../../src/services/custody/export-pack.ts";
import { readAsOf } from "../../src/services/custody/state-as-of.ts";

/** A custody file as a whole. */
export async function packOf(
  v: Vouchsafe,
  caller: Caller,
  artifact: string,
  asOf?: number | string,
): Promise<Uint8Array> {
  const lines = exportPack(v, caller, artifact, asOf === undefined ? asOf : readAsOf(asOf));
  return buffer(lines);
}
