import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { type Pushed, pushAttestation } from "./push-attestation.ts";

/** What became of one item: a refusal stops no other. */
export type PushedItem =
  | { readonly case: "pushed"; readonly pushed: Pushed }
  | { readonly case: "refused"; readonly error: unknown };

/** Items on their way at once: enough for the writer to commit them together, few enough to leave room for others. */
const IN_FLIGHT = 16;

/** Pushes every item. Results keep the items' order. */
export async function pushSeveral(
  v: Vouchsafe,
  caller: Caller,
  items: readonly Uint8Array[],
): Promise<PushedItem[]> {
  const results = new Array<PushedItem>(items.length);
  const waiting = items.entries();

  async function work(): Promise<void> {
    // All workers share one iterator, so each item is taken once.
    for (const [index, bytes] of waiting) results[index] = await pushOne(bytes);
  }
  async function pushOne(bytes: Uint8Array): Promise<PushedItem> {
    try {
      return { case: "pushed", pushed: await pushAttestation(v, caller, { bytes }) };
    } catch (error) {
      return { case: "refused", error };
    }
  }

  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, items.length) }, work));
  return results;
}
