/** For how long a process that asks waits for something newer than what is known, where the server hangs, in milliseconds. */
export const PATIENCE = 2_000;

/** Settles after so many milliseconds, or when aborted. */
export function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end, { once: true });
  });
}

/** The answer, or undefined where it takes longer than so many milliseconds. Throws what it throws. */
export async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T | undefined> {
  if (milliseconds === Number.POSITIVE_INFINITY) return answer;
  const over = new AbortController();
  try {
    return await Promise.race([answer, wait(milliseconds, over.signal).then(() => undefined)]);
  } finally {
    over.abort();
  }
}
