/** The newest of a list that can be long, in the order of the log, and how many there are of all. */
export interface Listed<T> {
  readonly count: number;
  readonly newest: readonly T[];
}

/** So many of each list are named: what an answer holds does not grow with the log. */
export const MOST_LISTED = 100;

export function listed<T extends { readonly index: number }>(lines: Iterable<T>): Listed<T> {
  const all = [...lines].sort((a, b) => a.index - b.index);
  return { count: all.length, newest: all.slice(-MOST_LISTED) };
}

/** Takes lines in the order of the log, and keeps those that are listed. */
export function createNewest<T>(): { add(line: T): void; read(): Listed<T> } {
  const newest: T[] = [];
  let count = 0;
  return {
    add(line) {
      count += 1;
      newest.push(line);
      if (newest.length > MOST_LISTED) newest.shift();
    },
    read: () => ({ count, newest: [...newest] }),
  };
}
