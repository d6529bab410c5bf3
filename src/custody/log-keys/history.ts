import { VouchsafeError } from "../../errors.ts";
import { parseVerifierKey } from "../../tlog/note.ts";
import { keyLabel } from "../../tlog/verifier-key.ts";
import { textIn } from "../body-fields.ts";
import type { EventType, LogEvent } from "../events.ts";

/** What an event says of keys: no more of it is looked at. */
export type KeyEvent = Pick<LogEvent, "index" | "type" | "body">;

/** One of the log's keys, from the event that took it on to the one that retired it. */
export interface LogKeyRecord {
  /** `name+hash+base64`; its name is the log's origin. */
  readonly verifierKey: string;
  /** `name+hash`. */
  readonly label: string;
  /** `log.created` for the first key, `log-key.added` for the others. */
  readonly added: KeyEvent;
  /** `log-key.retired`. */
  readonly retired?: KeyEvent;
}

export const LOG_KEY_EVENTS: readonly EventType[] = ["log.created", "log-key.added", "log-key.retired"];

/**
 * The keys that the log has had, oldest first, by the events of the installation in the order of the log: what they
 * say is which keys sign a checkpoint. After each event there is at least one that is active, and none comes twice.
 *
 * @param events those of other types are passed over; none when the log is empty
 * @throws VouchsafeError `log-inconsistent` for events that no node would have written
 */
export function logKeysOf(events: readonly KeyEvent[]): readonly LogKeyRecord[] {
  const keys = new Map<string, LogKeyRecord>();
  let origin: string | undefined;
  for (const event of events) {
    if (!LOG_KEY_EVENTS.includes(event.type)) continue;
    const { verifierKey, name, label } = keyIn(event);
    origin ??= name;
    refuseUnless(name === origin, event, "names a key of another log");
    refuseUnless((event.type === "log.created") === (event.index === 0), event, "is not in its place");
    const known = keys.get(label);
    if (event.type === "log-key.retired") {
      refuseUnless(known?.verifierKey === verifierKey, event, "retires a key that is not the log's");
      keys.set(label, { ...known, retired: event });
      refuseUnless(
        known.retired === undefined && activeKeys([...keys.values()]).length > 0,
        event,
        "retires a key that is retired, or the last one",
      );
    } else {
      refuseUnless(known === undefined, event, "takes on a key that the log has had");
      keys.set(label, { verifierKey, label, added: event });
    }
  }
  return [...keys.values()];
}

/** Those that sign: oldest first, as they stand in a checkpoint. */
export function activeKeys(keys: readonly LogKeyRecord[]): readonly LogKeyRecord[] {
  return keys.filter(({ retired }) => retired === undefined);
}

function keyIn(event: KeyEvent): { verifierKey: string; name: string; label: string } {
  try {
    const verifierKey = textIn(event.body, "verifierKey");
    const verifier = parseVerifierKey(verifierKey);
    return { verifierKey, name: verifier.name, label: keyLabel(verifier) };
  } catch (cause) {
    throw new VouchsafeError("log-inconsistent", `Event ${event.index} names no key`, { cause });
  }
}

function refuseUnless(condition: boolean, { index, type }: KeyEvent, what: string): asserts condition {
  if (!condition) throw new VouchsafeError("log-inconsistent", `Event ${index} (${type}) ${what}`);
}
