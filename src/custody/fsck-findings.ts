/** Something that is not as the log says: one row, or rows that are missing. */
export interface Finding {
  readonly table: string;
  /** Which row, e.g. `index 12`. */
  readonly key: string;
  /** What was expected and what is there, in words. */
  readonly problem: string;
}

/** Findings that are kept: a database that is another altogether must not fill the memory. */
const MOST = 1_000;

export interface Findings {
  add(...findings: readonly Finding[]): void;
  readonly kept: readonly Finding[];
  readonly count: number;
}

export function createFindings(): Findings {
  const kept: Finding[] = [];
  let count = 0;
  return {
    add(...findings) {
      count += findings.length;
      kept.push(...findings.slice(0, MOST - kept.length));
    },
    kept,
    get count() {
      return count;
    },
  };
}
