import { createHook } from "node:async_hooks";

/** Keys that the thread pool is making: Node counts them among nothing else. */
const keysUnderWay = new Set<number>();
createHook({
  init(id, type) {
    if (type === "KEYPAIRGENREQUEST") keysUnderWay.add(id);
  },
  after: (id) => keysUnderWay.delete(id),
}).enable();

/** Lets what is under way come to a rest, where timers are mocked: promises, and keys that are being made. */
export async function settle(): Promise<void> {
  for (let quiet = 0; quiet < 5; quiet += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (keysUnderWay.size > 0) quiet = 0;
  }
}
