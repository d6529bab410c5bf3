import type { FastifyRequest } from "fastify";
import type { Caller } from "../services/caller.ts";
import type { Vouchsafe } from "../services/context.ts";
import { pushAttestation } from "../services/push-attestation.ts";
import { logServerError, type Problem, problemOf } from "./problems.ts";

type Pushed = Omit<Awaited<ReturnType<typeof pushAttestation>>, "created">;

/** What became of one item, counted from 1; empty lines are not counted. */
export type ItemResult = { readonly item: number } & (
  | ({ readonly status: "accepted" | "known" } & Pushed)
  | { readonly status: "refused"; readonly problem: Problem }
);

/** Items on their way at once: enough for the writer to commit them together, few enough to leave room for others. */
const IN_FLIGHT = 16;

/** Pushes every item; a refused one is a result with its problem and stops no other. Results keep the items' order. */
export async function pushSeveral(
  v: Vouchsafe,
  caller: Caller,
  items: readonly Uint8Array[],
  request: FastifyRequest,
): Promise<ItemResult[]> {
  const results = new Array<ItemResult>(items.length);
  const waiting = items.entries();

  async function work(): Promise<void> {
    // All workers share one iterator, so each item is taken once.
    for (const [index, bytes] of waiting) results[index] = await pushOne(index + 1, bytes);
  }
  async function pushOne(item: number, bytes: Uint8Array): Promise<ItemResult> {
    try {
      const { created, ...pushed } = await pushAttestation(v, caller, { bytes });
      return { item, status: created ? "accepted" : "known", ...pushed };
    } catch (error) {
      const problem = problemOf(error, request.id);
      logServerError(error, problem, request);
      return { item, status: "refused", problem };
    }
  }

  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, items.length) }, work));
  return results;
}
