/** Forgets what was set first until so many are left: a Map has its keys in the order in which they were set. */
export function forgetOldest(kept: Map<unknown, unknown>, most: number): void {
  for (const oldest of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(oldest);
  }
}
