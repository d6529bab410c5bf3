/** Which of the things that are kept follow from others besides themselves. All are named by their keys. */
export interface Dependents {
  /** Notes what a thing follows from, in place of what it did before. */
  set(key: string, restsOn: readonly string[]): void;
  delete(key: string): void;
  /** The things that follow from this one. */
  of(key: string): Iterable<string>;
}

const NONE: readonly string[] = [];

/** Takes memory for things that follow from others alone: most do not. */
export function createDependents(): Dependents {
  const beneath = new Map<string, readonly string[]>();
  const above = new Map<string, Set<string>>();

  function forget(key: string): void {
    const restsOn = beneath.get(key);
    if (restsOn === undefined) return;
    beneath.delete(key);
    for (const other of restsOn) {
      const keys = above.get(other);
      keys?.delete(key);
      if (keys?.size === 0) above.delete(other);
    }
  }

  return {
    set(key, restsOn) {
      forget(key);
      if (restsOn.length === 0) return;
      beneath.set(key, restsOn);
      for (const other of restsOn) {
        const keys = above.get(other) ?? new Set();
        above.set(other, keys.add(key));
      }
    },
    delete: forget,
    of: (key) => above.get(key) ?? NONE,
  };
}
