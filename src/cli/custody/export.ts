import { Command } from "commander";
import type { Pieces } from "../../client/transport.ts";
import { knownDigest } from "../arguments/known-digest.ts";
import { refuseExisting, writeNew } from "../arguments/new-file.ts";
import { EXIT } from "../exit-codes.ts";
import type { Terminal } from "../output/terminal.ts";
import { action } from "../session.ts";

interface ExportOptions {
  readonly output?: string;
  readonly asOf?: string;
}

export function exportCommand(): Command {
  return new Command("export")
    .description("write an artifact's custody file, which anybody can verify offline")
    .argument("<digest|file>", "algorithm:hex, or a file")
    .option("-o, --output <file>", "where to; - for stdout (default: custody-<digest>.jsonl)")
    .option("--as-of <size|time>", "as the log was: a size, or a time such as 2026-03-01T12:00:00Z")
    .action(
      action(async ({ client, terminal, json }, artifact: string, { output, asOf }: ExportOptions) => {
        const digest = await knownDigest(client(), artifact);
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
