import type { LogEvent } from "../events.ts";
import { openEvent } from "../open-event.ts";
import { MAX_LINE_BYTES, PACK_FORMAT, type PackHeader } from "../pack.ts";
import { createLineCutter } from "./lines.ts";
import { parseHeader, parseRecord } from "./parse.ts";
import { invalidLine } from "./parse-line.ts";

/** Reads what a custody file says, and checks no more of it than its form: `../verify-pack.ts` does. */
export interface PackEvents {
  /** The events whose lines end in the file's next bytes. Throws `pack-invalid` for what is no custody file, `malformed-leaf`. */
  read(bytes: Uint8Array): readonly LogEvent[];
  /** Once its line was read. Throws `pack-invalid` before that. */
  header(): PackHeader;
  /** After the last bytes. Throws `pack-invalid` where the file breaks off. */
  finish(): void;
}

export function openPackEvents(): PackEvents {
  const lines = createLineCutter(MAX_LINE_BYTES);
  let first: PackHeader | undefined;
  let line = 0;
  let events = 0;

  function take(bytes: Uint8Array): LogEvent[] {
    line += 1;
    if (first === undefined) {
      first = parseHeader(bytes);
      return [];
    }
    const record = parseRecord(bytes, line);
    if (record.case !== "event") return [];
    events += 1;
    return [openEvent(record)];
  }

  function header(): PackHeader {
    if (first === undefined) throw invalidLine(1, "the file is empty");
    return first;
  }

  return {
    read: (bytes) => lines.push(bytes).flatMap(take),
    header,
    finish() {
      if (events !== header().records.event || !lines.isAtEnd())
        throw invalidLine(line + 1, "the file breaks off");
    },
  };
}

/** Whether a file that begins with these bytes is meant as a custody file: its first line names the format early. */
export function beginsPack(bytes: Uint8Array): boolean {
  const [first = ""] = Buffer.from(bytes).toString("latin1").split("\n", 1);
  const [family = ""] = PACK_FORMAT.split("/");
  return first.startsWith('{"artifact":"') && first.includes(`"format":"${family}/`);
}
