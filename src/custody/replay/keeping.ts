import type { Digest } from "../../in-toto-attestation/index.ts";
import { digestIn, restsOnIn, textIn } from "../body-fields.ts";
import type { LogEvent } from "../events.ts";

/** What keeps evidence, as far as the events of an artifact and of what its verdicts rest on tell. */
export interface Keeping {
  /** By the ids of the holds that stand, what each is on. */
  readonly holds: ReadonlyMap<string, Digest>;
  /** The classes that were assigned. */
  readonly classes: ReadonlyMap<Digest, string>;
  /** The other artifacts that any verdict of the artifact has rested on. */
  readonly grounds: ReadonlySet<Digest>;
}

export const NOTHING_KEPT: Keeping = { holds: new Map(), classes: new Map(), grounds: new Set() };

/** What keeps evidence after an event. Throws `malformed-leaf` for one without the members of its type. */
export function keepingAfter(before: Keeping, { type, body, about }: LogEvent, artifact: Digest): Keeping {
  switch (type) {
    case "hold.placed":
      return {
        ...before,
        holds: new Map([...before.holds, [textIn(body, "id"), digestIn(body, "artifact")]]),
      };
    case "hold.released": {
      const released = textIn(body, "id");
      return { ...before, holds: new Map([...before.holds].filter(([id]) => id !== released)) };
    }
    case "retention.assigned": {
      const assigned = [digestIn(body, "artifact"), textIn(body, "class")] as const;
      return { ...before, classes: new Map([...before.classes, assigned]) };
    }
    case "verdict.passed":
    case "verdict.failed":
      if (!about.includes(artifact)) return before;
      return { ...before, grounds: new Set([...before.grounds, ...restsOnIn(body)]) };
    default:
      return before;
  }
}
