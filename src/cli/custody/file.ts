import { open } from "node:fs/promises";
import type { LogEvent } from "../../custody/events.ts";
import { beginsPack, openPackEvents, type PackEvents } from "../../custody/pack/events.ts";
import { otherChain } from "../../custody/references.ts";
import type { CustodySummary } from "../../custody/summary/custody-summary.ts";
import { createCustodySummarizer } from "../../custody/summary/summarize.ts";
import { parseCheckpoint } from "../../tlog/checkpoint.ts";
import { parseNote } from "../../tlog/note.ts";
import { requireReadable } from "../arguments/files.ts";
import type { Terminal } from "../output/terminal.ts";
import type { CustodySource } from "./source.ts";

/** As much of a file as tells whether it is meant as a custody file, whatever else its first line holds. */
const BEGINNING = 64 * 1024;

export async function isCustodyFile(path: string): Promise<boolean> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0);
    return beginsPack(buffer.subarray(0, bytesRead));
  } catch {
    // A directory, for one: what is wrong with it is said where it is read as an artifact.
    return false;
  } finally {
    await handle.close();
  }
}

/** The custody that a file tells of, unverified, as of the time of its last event. Throws `pack-invalid`. */
export async function openCustodyFile(path: string, terminal: Terminal): Promise<CustodySource> {
  await requireReadable(path);
  const file = openPackEvents();
  const { summary, now } = await summarize(path, file, terminal);
  const { artifact, related, checkpoint } = file.header();
  const { origin, size: treeSize } = parseCheckpoint(parseNote(checkpoint).text);
  const time = new Date(now).toISOString();
  return {
    head: { artifact, origin, treeSize, time, checkpoint },
    summary,
    async *events(types) {
      for await (const { about, previous, ...event } of eventsOf(path, openPackEvents(), terminal)) {
        if (types !== undefined && !types.includes(event.type)) continue;
        const chain = otherChain(artifact, related, about);
        const { index, type, body } = event;
        const time = new Date(event.time).toISOString();
        yield { index, type, time, about, previous, body, ...(chain !== undefined && { chain }) };
      }
    },
  };
}

async function summarize(
  path: string,
  file: PackEvents,
  terminal: Terminal,
): Promise<{ summary: CustodySummary; now: number }> {
  let summarizer: ReturnType<typeof createCustodySummarizer> | undefined;
  let now = 0;
  for await (const event of eventsOf(path, file, terminal)) {
    summarizer ??= createCustodySummarizer(file.header().artifact, file.header().related);
    summarizer.add(event);
    now = event.time;
  }
  const { artifact, related } = file.header();
  return { summary: (summarizer ?? createCustodySummarizer(artifact, related)).read(now), now };
}

async function* eventsOf(path: string, file: PackEvents, terminal: Terminal): AsyncGenerator<LogEvent> {
  let count = 0;
  for await (const piece of (await open(path)).createReadStream()) {
    for (const event of file.read(piece)) {
      count += 1;
      yield event;
    }
    terminal.progress(`reading: ${count} events`);
  }
  file.finish();
}
