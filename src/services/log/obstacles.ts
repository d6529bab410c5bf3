import type { VouchsafeError } from "../../errors.ts";
import type { Vouchsafe } from "../context.ts";

/** Notes what keeps this node from adding to the log, told once as it begins; undefined when nothing of this name does. */
export function setObstacle(
  { obstacles, report }: Pick<Vouchsafe, "obstacles" | "report">,
  name: string,
  obstacle: VouchsafeError | undefined,
): void {
  if (obstacle === undefined) {
    obstacles.delete(name);
    return;
  }
  if (!obstacles.has(name)) report("this node can add nothing to the log", obstacle);
  obstacles.set(name, obstacle);
}
