import { randomUUID } from "node:crypto";
import { access, link, open, rm } from "node:fs/promises";
import { Command } from "commander";
import type { Pieces } from "../client/transport.ts";
import { digestOfArgument } from "./artifact-argument.ts";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

interface ExportOptions {
  readonly output?: string;
  readonly asOf?: string;
}

export function exportCommand(): Command {
  return new Command("export")
    .description("write an artifact's custody file, which anybody can verify offline")
    .argument("<digest|file>", "algorithm:hex, or a file to take the sha256 of")
    .option("-o, --output <file>", "where to; - for stdout (default: custody-<digest>.jsonl)")
    .option("--as-of <size|time>", "as the log was: a size, or a time such as 2026-03-01T12:00:00Z")
    .action(
      action(async ({ client, terminal, json }, artifact: string, { output, asOf }: ExportOptions) => {
        const digest = await digestOfArgument(artifact);
        const file = output ?? `custody-${digest.replace(":", "-")}.jsonl`;
        if (file !== "-") await refuseExisting(file);
        const pieces = shown(terminal, await client().exportCustody(digest, asOf));
        if (file === "-") {
          for await (const piece of pieces) await terminal.write(piece);
          return EXIT.ok;
        }
        const size = await writeNew(file, pieces);
        if (json) terminal.printJson({ file, artifact: digest, size });
        else {
          terminal.print(`wrote ${file}: ${size} bytes`, "good");
          terminal.note(`  verify it anywhere: vouchsafe custody verify ${file} --log-key KEY`);
        }
        return EXIT.ok;
      }),
    );
}

/** The pieces as they come, with a line that says how far they are. */
async function* shown(terminal: Terminal, pieces: Pieces): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    terminal.progress(`exporting: ${(bytes / 1e6).toFixed(1)} MB`);
    yield piece;
  }
}

/** Evidence is not overwritten: a file of that name may be the only copy of what held before. */
async function refuseExisting(file: string): Promise<void> {
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) throw cannotWrite(file);
}

/**
 * Writes under a name of its own beside the file and links it into place when all of it is safe on the disk: what breaks
 * off leaves no file that looks whole. A crash leaves the draft, which nothing mistakes for a file.
 */
async function writeNew(file: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const draft = `${file}.${randomUUID()}.part`;
  const handle = await open(draft, "wx").catch((cause: unknown) => {
    throw cannotWrite(file, cause);
  });
  let size = 0;
  try {
    for await (const piece of pieces) {
      await handle.writeFile(piece);
      size += piece.length;
    }
    await handle.sync();
    await link(draft, file).catch((cause: unknown) => {
      throw cannotWrite(file, cause);
    });
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
  return size;
}

function cannotWrite(file: string, cause?: unknown): UsageError {
  return new UsageError(
    `${file} cannot be written: it exists already, or its directory does not; name another with --output`,
    { cause },
  );
}
