/** Bytes drawn at once: asking the source costs as much for one salt as for a hundred. */
const POOL_BYTES = 8 * 1024;

/**
 * The same source, asked seldom. Each byte is given out once. Only for what is stored anyway, as salts are: what was
 * drawn and not yet given out lies in memory.
 */
export function pooled(random: (length: number) => Uint8Array): (length: number) => Uint8Array {
  let pool: Uint8Array = new Uint8Array(0);
  let at = 0;
  return (length) => {
    if (length > POOL_BYTES) return random(length);
    if (at + length > pool.length) {
      pool = random(POOL_BYTES);
      at = 0;
    }
    at += length;
    return pool.subarray(at - length, at);
  };
}
