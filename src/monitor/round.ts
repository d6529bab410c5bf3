import { ApiError } from "../client/api-error.ts";
import { hasCode, VouchsafeError } from "../errors.ts";
import { rememberTiles } from "../tlog/served-log.ts";
import type { Alarm } from "./alarm.ts";
import { followTree } from "./follow-tree.ts";
import { lasting, type Monitor } from "./monitor.ts";
import { readEntries } from "./read-entries.ts";

/** How a round ended: `unknown` when the server could not be asked, or answered what cannot be read. */
export type RoundEnd =
  | { readonly case: "done" }
  | { readonly case: "more" }
  | { readonly case: "unknown"; readonly reason: string };

// In one round, so that neither a log that is far ahead nor one that answers in drops keeps the monitor from its newest
// checkpoint: bundles, and milliseconds after which no more are begun.
const MAX_BUNDLES = 256;
const MAX_TIME = 60_000;

/**
 * One look at the log: its checkpoint against the newest that was verified, then the entries that came since, up to
 * 65,536 of them. Each alarm is for the caller to tell before it takes the next.
 */
export async function* runRound(monitor: Monitor): AsyncGenerator<Alarm, RoundEnd> {
  try {
    await settleProject(monitor);
    yield* followTree(monitor);
    const hasMore = yield* readBundles(monitor);
    yield* lasting(monitor, "unreachable", undefined);
    yield* stale(monitor);
    return { case: hasMore ? "more" : "done" };
  } catch (error) {
    const isOutside = error instanceof ApiError || error instanceof VouchsafeError;
    if (!isOutside || hasCode(error, "configuration-invalid")) throw error;
    const reason = error.message.replace(/\.$/, "");
    yield* lasting(monitor, "unreachable", `The log cannot be followed: ${reason}`);
    return { case: "unknown", reason };
  }
}

/** Before the first entry is read: from then on every entry of that project must be told. */
async function settleProject({ readEvents, memory }: Monitor): Promise<void> {
  const { project, read } = memory.state;
  if (readEvents === undefined || project !== null || read.size > 0) return;
  await memory.save({ project: (await readEvents(undefined)).project });
}

async function* readBundles(monitor: Monitor): AsyncGenerator<Alarm, boolean> {
  const readTiles = rememberTiles(monitor.log.readTiles);
  const deadline = performance.now() + MAX_TIME;
  let hasMore = true;
  for (let bundles = 0; hasMore && bundles < MAX_BUNDLES && performance.now() < deadline; bundles += 1)
    hasMore = yield* readEntries(monitor, readTiles);
  return hasMore;
}

function* stale({ memory, maxAge, clock }: Monitor): Generator<Alarm> {
  const { grewAt } = memory.state;
  if (maxAge === undefined || clock() - grewAt < maxAge) return;
  yield { alarm: "stale", message: `The log has not grown since ${new Date(grewAt).toISOString()}.` };
}
