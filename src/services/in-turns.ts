/** What is done for one project, a page at each step. */
export type Pages = AsyncGenerator<void, void>;

/** Projects for which a node does something in the background at the same time. */
export const PROJECTS_AT_ONCE = 4;

export interface Turns {
  /** So many have their turn at the same time. */
  readonly atOnce: number;
  readonly signal: AbortSignal;
  /** Told of each that ended by an error: the others go on. */
  readonly failed: (cause: unknown) => void;
}

/** Takes a page of each, again and again, until none has another: who has much to do keeps nobody from his turn. */
export async function inTurns(all: Iterable<Pages>, { atOnce, signal, failed }: Turns): Promise<void> {
  const waiting = [...all];
  async function takeTurns(): Promise<void> {
    for (let pages = waiting.shift(); pages !== undefined; pages = waiting.shift()) {
      if (signal.aborted) return;
      try {
        const { done } = await pages.next();
        if (done !== true) waiting.push(pages);
      } catch (cause) {
        failed(cause);
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, takeTurns));
}
