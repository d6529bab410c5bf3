import { encodeBody } from "../custody/body.ts";
import type { ChainKey } from "../custody/events.ts";
import type { OpenedEvent } from "../custody/open-event.ts";
import { VouchsafeError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../in-toto-attestation/index.ts";
import { decodeBase64 } from "../tlog/base64.ts";
import { isTreeSize } from "../tlog/subtrees.ts";

/** A page of `GET /events`, taken apart. Nothing in it is believed yet. */
export interface EventPage {
  /** The id that the project's entries in the log bear. */
  readonly project: string;
  readonly events: readonly OpenedEvent[];
  readonly next: string | null;
}

/** More than a page of the largest events has. */
export const MAX_PAGE_BYTES = 64 * 1024 * 1024;

/** Throws `invalid-request` for what is no such page. */
export function parseEventPage(bytes: Uint8Array): EventPage {
  try {
    const page = parseJson(bytes, { maxBytes: MAX_PAGE_BYTES });
    if (!isJsonObject(page) || !Array.isArray(page.events)) throw new RangeError("no list of events");
    if (page.next !== null && typeof page.next !== "string") throw new RangeError("no `next`");
    return { project: textOf(page.project), events: page.events.map(readEvent), next: page.next };
  } catch (cause) {
    throw new VouchsafeError("invalid-request", "The server's page of events is none", { cause });
  }
}

function readEvent(event: JsonValue): OpenedEvent {
  if (!isJsonObject(event)) throw new RangeError("no event");
  const { index, leaf, salt, about, body } = event;
  if (!isTreeSize(index)) throw new RangeError("no index");
  return { index, leaf: bytesOf(leaf), salt: bytesOf(salt), body: bodyBytes(about, body) };
}

/** What is hashed is the body with `about` among its members: whether it names chains is asked when it is opened. */
function bodyBytes(about: JsonValue | undefined, body: JsonValue | undefined): Uint8Array {
  if (!Array.isArray(about) || !isJsonObject(body)) throw new RangeError("no body");
  return encodeBody({ about: about.map(textOf) as ChainKey[], body: body as JsonObject });
}

function bytesOf(value: JsonValue | undefined): Uint8Array {
  const bytes = decodeBase64(textOf(value));
  if (bytes === undefined) throw new RangeError("no base64");
  return bytes;
}

function textOf(value: JsonValue | undefined): string {
  if (typeof value !== "string") throw new RangeError("no text");
  return value;
}
