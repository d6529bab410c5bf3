import { spawnSync } from "node:child_process";

/** Programs of others are built first: half an hour. `.ci/run` asks for it where time is left, and whoever sets this. */
export const IS_INTEROP = process.env.VOUCHSAFE_INTEROP === "1";

/** Why a test against programs of others is skipped: nobody asked for it, or one that it takes is not here. */
export function skipInterop(...programs: readonly string[]): string | false {
  if (!IS_INTEROP) return "VOUCHSAFE_INTEROP=1 asks for it";
  const missing = programs.find((program) => spawnSync(program, ["--version"]).error !== undefined);
  return missing === undefined ? false : `${missing} is not here`;
}
