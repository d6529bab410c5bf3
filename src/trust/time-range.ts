/** When a key or an authority may be believed; both ends inclusive, milliseconds since the epoch. */
export interface TimeRange {
  readonly start: number;
  readonly end: number;
}

export const ALWAYS: TimeRange = { start: -8.64e15, end: 8.64e15 };

export function covers(range: TimeRange, time: number): boolean {
  return range.start <= time && time <= range.end;
}

/** What both cover. Empty (its start after its end) where they have nothing in common. */
export function intersection(one: TimeRange, other: TimeRange): TimeRange {
  return { start: Math.max(one.start, other.start), end: Math.min(one.end, other.end) };
}

const RFC3339 = /^\d{4}-(\d{2})-(\d{2})T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds of an RFC 3339 time; undefined for any other text and for days that do not exist. */
export function parseTime(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) return undefined;
  // Date.parse turns 30 February into 2 March: the date part must survive on its own.
  const day = text.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? time : undefined;
}
