import { skipInterop } from "../../support/interop.ts";
import { cannotMakeCgroups } from "../../workload/attestors/cgroups.ts";

/** Why a test that starts containers is skipped. */
export function skipContainers(): string | false {
  const skip = skipInterop("go");
  if (skip !== false) return skip;
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "only root of a Linux starts containers";
  return cannotMakeCgroups();
}
