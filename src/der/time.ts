import { DerError } from "./reader.ts";

const DIGITS = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/;

/** Milliseconds since the epoch of `YYYYMMDDhhmmss`, UTC. Throws `DerError` for days and hours that do not exist. */
export function readUtcDigits(digits: string): number {
  const [, year, month, day, hour, minute, second] = DIGITS.exec(digits) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = Date.parse(iso);
  // A day that the month does not have would be taken for one of the next month.
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) throw new DerError("a time is malformed");
  return time;
}
