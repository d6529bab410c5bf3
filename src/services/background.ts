/** Work that goes on after an answer was given, and that a closing node waits for. */
export interface Background {
  run(work: (signal: AbortSignal) => Promise<void>): void;
  /** Asks the work under way to stop and resolves when it has. */
  close(): Promise<void>;
}

/** @param report is told of work that failed; whatever it left undone is done when it is asked for */
export function createBackground(report: (problem: string, cause: unknown) => void): Background {
  const stop = new AbortController();
  const underWay = new Set<Promise<void>>();
  return {
    run(work) {
      const running = work(stop.signal)
        .catch((cause: unknown) => report("work in the background failed", cause))
        .finally(() => underWay.delete(running));
      underWay.add(running);
    },
    async close() {
      stop.abort();
      // Work that ends may have begun other work.
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
