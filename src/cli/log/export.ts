import { Command } from "commander";
import { ApiError } from "../../client/api-error.ts";
import type { Client } from "../../client/client.ts";
import type { LogEvent } from "../../custody/events.ts";
import type { Material } from "../../custody/pack.ts";
import type { Reference } from "../../custody/references.ts";
import { readBytes } from "../arguments/files.ts";
import { refuseExisting, writeNew } from "../arguments/new-file.ts";
import { findToken } from "../credentials.ts";
import { EXIT } from "../exit-codes.ts";
import type { Terminal } from "../output/terminal.ts";
import { action } from "../session.ts";
import { UsageError } from "../usage-error.ts";
import type { eventsOf as EventsOf } from "./server.ts";

interface ExportOptions {
  readonly from: string;
  readonly to?: string;
  readonly checkpoint?: string;
  readonly output: string;
}

/** More than any evidence or document. */
const MAX_MATERIAL_BYTES = 64 * 1024 * 1024;

export function exportLogCommand(): Command {
  return new Command("export")
    .description(
      "write a range of the log for an archive: its entries, and with an auditor's token what they say",
    )
    .option("--from <index>", "the first entry", "0")
    .option("--to <index>", "the first entry that is not in it (default: all there are)")
    .option("--checkpoint <file>", "prove it in this tree (default: the newest)")
    .requiredOption("-o, --output <file>", "where to; - for stdout")
    .action(
      action(async ({ client, server, terminal, json }, options: ExportOptions) => {
        const { checkpoint, output } = options;
        const range = {
          from: indexOf(options.from),
          ...(options.to !== undefined && { to: indexOf(options.to) }),
        };
        if (range.to !== undefined && range.to < range.from)
          throw new UsageError(`--to takes the index of an entry after --from's, and not ${options.to}`);
        if (output !== "-") await refuseExisting(output);
        // Loaded here alone: it knows events and what comes with them, and most commands need neither.
        const [{ exportLog }, { servedBy, eventsOf }] = await Promise.all([
          import("../../monitor/export-log.ts"),
          import("./server.ts"),
        ]);
        const connected = client();
        const log = servedBy(connected);
        const hasToken = findToken(server(), process.env) !== undefined;
        const note = checkpoint === undefined ? await log.checkpoint() : decode(await readBytes(checkpoint));
        const lines = exportLog(
          { log, ...(hasToken && { auditor: auditorsPart(connected, eventsOf) }) },
          { ...range, checkpoint: note },
        );
        if (output === "-") {
          for await (const line of lines) await terminal.write(line);
          return EXIT.ok;
        }
        const size = await writeNew(output, shown(lines, terminal));
        if (json) terminal.printJson({ file: output, size });
        else {
          terminal.print(`wrote ${output}: ${size} bytes`, "good");
          terminal.note(`  verify it anywhere: vouchsafe log verify-export ${output} --log-key KEY`);
        }
        return EXIT.ok;
      }),
    );
}

function indexOf(text: string): number {
  if (!/^(0|[1-9][0-9]{0,14})$/.test(text))
    throw new UsageError(`An index is a whole number, and not ${text}`);
  return Number(text);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

async function* shown(lines: AsyncIterable<Uint8Array>, terminal: Terminal): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const line of lines) {
    if (count % 1000 === 0) terminal.progress(`exporting: ${count} lines`);
    count += 1;
    yield line;
  }
}

function auditorsPart(client: Client, eventsOf: typeof EventsOf) {
  return {
    readEvents: (after: number | undefined) => eventsOf(client, after),
    readMaterial: (reference: Reference, event: LogEvent) => readMaterial(client, reference, event),
  };
}

/** The media type is what the log says that it was: on its way it may have been written otherwise. */
async function readMaterial(
  client: Client,
  { case: kind, hash }: Reference,
  { body }: LogEvent,
): Promise<Material> {
  if (kind !== "evidence")
    return { case: kind, hash, bytes: await client.readBytes(`/documents/${hash}`, MAX_MATERIAL_BYTES) };
  const mediaType = String(body.mediaType);
  try {
    const bytes = await client.readBytes(`/attestations/${hash}`, MAX_MATERIAL_BYTES);
    return { case: "evidence", hash, mediaType, bytes };
  } catch (error) {
    const expired = error instanceof ApiError && error.code === "evidence-expired" && error.problem.expired;
    if (typeof expired !== "number") throw error;
    return { case: "expired", hash, mediaType, expired };
  }
}
