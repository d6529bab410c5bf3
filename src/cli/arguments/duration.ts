const MILLISECONDS: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/**
 * A duration such as 30m, in milliseconds; undefined for what the pattern does not take.
 *
 * @param pattern with two groups: a count, and one of s, m, h and d
 */
export function durationIn(text: string, pattern: RegExp): number | undefined {
  const [, count, unit = ""] = pattern.exec(text) ?? [];
  const milliseconds = MILLISECONDS.get(unit);
  return milliseconds === undefined ? undefined : Number(count) * milliseconds;
}
