import type { AppendedEvent, Proposal } from "../custody/writer.ts";
import { VouchsafeError } from "../errors.ts";
import type { Vouchsafe } from "./context.ts";
import { traced } from "./telemetry/tracing.ts";

/** How long a proposal is made anew when others keep changing what it rests on, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Appends what `propose` makes of the present state. When something that it rests on moved before the log's head
 * could be locked, or while it was made (`propose` gives undefined), it is made anew from the new state, so nothing false is ever committed.
 *
 * @returns the committed events, in the proposal's order
 * @throws VouchsafeError `unavailable` when others kept changing it for ten seconds, and whatever `propose` throws
 */
export async function appendFresh<T extends { readonly proposal: Proposal }>(
  { writer, tracing }: Pick<Vouchsafe, "writer"> & Partial<Pick<Vouchsafe, "tracing">>,
  propose: () => Promise<T | undefined>,
): Promise<T & { readonly committed: readonly AppendedEvent[] }> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const proposed = await propose();
    if (proposed !== undefined) {
      const { events, confirmations = [] } = proposed.proposal;
      if (events.length === 0 && confirmations.length === 0) return { ...proposed, committed: [] };
      const appended = await traced({ tracing }, "append", () => writer.append(proposed.proposal));
      if (appended.outcome === "committed") return { ...proposed, committed: appended.events };
    }
    if (performance.now() > deadline) {
      throw new VouchsafeError(
        "unavailable",
        "Others kept changing the same artifact; send the request again",
      );
    }
  }
}

/** The only event of a proposal that had one. */
export function onlyEvent(events: readonly AppendedEvent[]): AppendedEvent {
  const [event] = events;
  if (event === undefined || events.length !== 1) throw new TypeError("expected one event");
  return event;
}
