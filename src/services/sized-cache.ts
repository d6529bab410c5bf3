/** Values that may be forgotten at any time, at most so many of them and so many bytes together. */
export interface SizedCache<Key, Value> {
  get(key: Key): Value | undefined;
  /** Keeps a value of this many bytes, and forgets the oldest ones where there is no room. */
  set(key: Key, value: Value, bytes: number): void;
}

export function createSizedCache<Key, Value>(max: {
  readonly entries: number;
  readonly bytes: number;
}): SizedCache<Key, Value> {
  const kept = new Map<Key, { readonly value: Value; readonly bytes: number }>();
  let total = 0;

  function forget(key: Key): void {
    total -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  }

  return {
    get: (key) => kept.get(key)?.value,
    set(key, value, bytes) {
      forget(key);
      kept.set(key, { value, bytes });
      total += bytes;
      // A Map gives its keys in the order in which they were set.
      for (const oldest of kept.keys()) {
        if (kept.size <= max.entries && total <= max.bytes) return;
        forget(oldest);
      }
    },
  };
}
