/** A time in UTC as people write it, such as 2026-03-01T12:00:00Z (RFC 3339). Not every text of this form is a time. */
export const UTC_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;

/** Milliseconds since the epoch; undefined for any other text, and for days that do not exist. */
export function parseUtcTime(text: string): number | undefined {
  const time = UTC_TIME.test(text) ? Date.parse(text) : Number.NaN;
  // The 30th of February is the 2nd of March to `Date`.
  const isTime = !Number.isNaN(time) && new Date(time).toISOString().slice(0, 19) === text.slice(0, 19);
  return isTime ? time : undefined;
}
