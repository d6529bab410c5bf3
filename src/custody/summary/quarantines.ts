import type { SpiffeId } from "../../identity/spiffe-id.ts";
import { textIn } from "../body-fields.ts";
import { type EventType, type LogEvent, PROJECT_CHAIN } from "../events.ts";
import { type QuarantineTarget, quarantineText } from "../quarantine-target.ts";
import { quarantineIn } from "../quarantines.ts";
import type { Origin } from "../revocation-target.ts";
import type { Line, QuarantineLine } from "./custody-summary.ts";
import { type Listed, listed } from "./listed.ts";

/** What of an artifact's custody rules can hold. */
export interface Held {
  readonly comesFrom: (origin: Origin) => boolean;
  readonly isJudgedBy: (policy: string) => boolean;
  readonly isGranted: (spiffeId: SpiffeId) => boolean;
}

/** Quarantines of the artifact and of what its verdicts rest on, and of the project's by rule those that hold something of it. */
export interface QuarantineLines {
  readonly readers: Readonly<Partial<Record<EventType, (event: LogEvent, line: Line) => void>>>;
  read(held: Held): Listed<QuarantineLine>;
}

export function createQuarantineLines(): QuarantineLines {
  const quarantines = new Map<string, { readonly line: QuarantineLine; readonly target: QuarantineTarget }>();
  return {
    readers: {
      "quarantine.opened": (event, line) => {
        const { id, target, reason } = quarantineIn(event);
        const what = "artifact" in target ? target.artifact : quarantineText(target);
        quarantines.set(id, { line: { ...line, id, target: what, reason, lifted: null }, target });
      },
      "quarantine.lifted": ({ index, body }) => {
        const id = textIn(body, "id");
        const open = quarantines.get(id);
        if (open !== undefined) quarantines.set(id, { ...open, line: { ...open.line, lifted: index } });
      },
    },
    read: (held) =>
      listed(
        [...quarantines.values()]
          // In the artifact's own chain stands what is of it, such as that of an SVID granted for it.
          .filter(({ line, target }) => line.chain !== PROJECT_CHAIN || isMet(target, held))
          .map(({ line }) => line),
      ),
  };
}

function isMet(target: QuarantineTarget, { comesFrom, isJudgedBy, isGranted }: Held): boolean {
  if ("artifact" in target || "serial" in target) return false;
  if ("policy" in target) return isJudgedBy(target.policy);
  return "spiffeId" in target ? isGranted(target.spiffeId) : comesFrom(target);
}
