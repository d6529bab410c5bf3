import type { LoggedEvent } from "../../client/log-types.ts";
import { EVENT_TYPES } from "../../custody/events.ts";
import { suggestion } from "../../yaml/suggestion.ts";
import { UsageError } from "../usage-error.ts";
import { time } from "./time.ts";

/** Members of which the first tells one event of a type from the next, for people; --json has everything. */
const TELLING = [
  "reason",
  "policy",
  "attestation",
  "manifest",
  "grantedTo",
  "spiffeId",
  "requester",
  "agent",
  "policySet",
  "trust",
];

/** An event in one line. */
export function eventLine({
  index,
  time: at,
  type,
  body,
}: Pick<LoggedEvent, "index" | "time" | "type" | "body">): string {
  const gist = TELLING.map((name) => body[name]).find((member) => typeof member === "string");
  return `#${index} ${time(at)} ${type} ${gist ?? ""}`.trimEnd();
}

/** What an event is about, to stand behind its line; the project as a whole is not told of. */
export function aboutWhat({ about }: Pick<LoggedEvent, "about">): string {
  const chains = about.filter((chain) => chain !== "*");
  return chains.length === 0 ? "" : ` (of ${chains.join(", ")})`;
}

/** Refuses types that no event is of. */
export function requireEventTypes(types: readonly string[]): void {
  const unknown = types.find((type) => !Object.hasOwn(EVENT_TYPES, type));
  if (unknown === undefined) return;
  throw new UsageError(`There are no events ${unknown}${suggestion(unknown, Object.keys(EVENT_TYPES))}`);
}
