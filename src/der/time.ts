import { DerError } from "./reader.ts";

const DIGITS = /^\d{14}$/;

/** Milliseconds since the epoch of `YYYYMMDDhhmmss`, UTC. Throws `DerError` for days and hours that do not exist. */
export function readUtcDigits(digits: string): number {
  const part = (start: number, end: number) => Number(digits.slice(start, end));
  const [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
  const [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)];
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(time);
  // A day that the month does not have would be taken for one of the next month, and so on.
  const exists =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (!DIGITS.test(digits) || !exists) throw new DerError("a time is malformed");
  return time;
}
