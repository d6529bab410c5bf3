/**
 * What is waited for, or undefined as soon as nobody waits any longer. Unlike a race against one promise that lives as long as the
 * reader, it leaves nothing behind each time.
 */
export function unlessGone<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve(undefined);
    const leave = () => resolve(undefined);
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
