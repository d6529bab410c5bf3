import type { FastifyRequest } from "fastify";
import type { Caller } from "../services/caller.ts";
import type { Vouchsafe } from "../services/context.ts";
import { pushAttestation } from "../services/push-attestation.ts";
import { logServerError, type Problem, problemOf } from "./problems.ts";

type Pushed = Omit<Awaited<ReturnType<typeof pushAttestation>>, "created">;

/** What became of one line, counted from 1; empty lines are not counted. */
export type LineResult = { readonly line: number } & (
  | ({ readonly status: "accepted" | "known" } & Pushed)
  | { readonly status: "refused"; readonly problem: Problem }
);

/** Lines on their way at once: enough for the writer to commit them together, few enough to leave room for others. */
const IN_FLIGHT = 16;

/** Pushes every line; a refused one is a result with its problem and stops no other. Results keep the lines' order. */
export async function pushLines(
  v: Vouchsafe,
  caller: Caller,
  lines: readonly Uint8Array[],
  request: FastifyRequest,
): Promise<LineResult[]> {
  const results = new Array<LineResult>(lines.length);
  const waiting = lines.entries();

  async function work(): Promise<void> {
    // All workers share one iterator, so each line is taken once.
    for (const [index, bytes] of waiting) results[index] = await pushLine(index + 1, bytes);
  }
  async function pushLine(line: number, bytes: Uint8Array): Promise<LineResult> {
    try {
      const { created, ...pushed } = await pushAttestation(v, caller, { bytes });
      return { line, status: created ? "accepted" : "known", ...pushed };
    } catch (error) {
      const problem = problemOf(error, request.id);
      logServerError(error, problem, request);
      return { line, status: "refused", problem };
    }
  }

  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, lines.length) }, work));
  return results;
}
