import type { FastifyReply } from "fastify";

/**
 * Calls back once when the answer is out or the client gone, at once where it is gone already: it may leave while its
 * credential is looked up, and `close` is told to nobody who comes later.
 */
export function whenGone({ raw }: Pick<FastifyReply, "raw">, then: () => void): void {
  if (raw.closed) then();
  else raw.once("close", then);
}
