import type { LogEvent } from "../../custody/events.ts";
import { encodeBase64 } from "../../tlog/base64.ts";

/** An event as the API answers with it: its leaf proves it to be in the log, and salt and body what it says. */
export function eventJson({ index, type, time, about, previous, salt, leaf, body }: LogEvent) {
  return {
    index,
    type,
    time: new Date(time).toISOString(),
    about,
    previous,
    salt: encodeBase64(salt),
    leaf: encodeBase64(leaf),
    body,
  };
}
