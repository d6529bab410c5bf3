import { randomUUID } from "node:crypto";
import type { Vouchsafe } from "../../src/services/context.ts";
import { committed, digestOf } from "./pushes.ts";

/** Most events of one proposal here: about as many as a batch has. */
const STEP = 512;

/** Lets a node's log grow to this size, by events of its own project that no state follows from. */
export async function growLog({ writer, project, projection }: Vouchsafe, to: number): Promise<void> {
  for (let size = projection.size; size < to; ) {
    const events = Array.from({ length: Math.min(to - size, STEP) }, () => {
      const artifact = digestOf(randomUUID());
      return { type: "decision.recorded", about: [artifact], body: { artifact } } as const;
    });
    size = committed(await writer.append({ project, asOf: size, restsOn: [], events })).size;
  }
}
