import { VouchsafeError } from "../errors.ts";

/** A time of a request in milliseconds since the epoch. Throws `invalid-request`, with the member's name. */
export function timeOf(member: string, text: string): number {
  const isRfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.test(text);
  const time = isRfc3339 ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new VouchsafeError("invalid-request", `${member} must be an RFC 3339 time`);
  return time;
}
