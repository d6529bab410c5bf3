import { once } from "node:events";
import { Command } from "commander";
import type { WitnessLogEntry } from "../witness/server.ts";
import { collect } from "./arguments/collect.ts";
import { parseListenAddress } from "./arguments/listen-address.ts";
import { readLogKey } from "./arguments/log-key.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./output/terminal.ts";
import { action } from "./session.ts";

interface WitnessOptions {
  readonly listen: string;
  readonly dir: string;
  readonly name: string;
  readonly log: readonly string[];
}

export function witnessCommand(): Command {
  return new Command("witness")
    .description("cosign other parties' logs as a C2SP tlog-witness, until SIGTERM")
    .requiredOption("--name <name>", "of its key, for good: best a URL without https://")
    .requiredOption("--dir <path>", "its key and its memory; never put back from a copy")
    .requiredOption(
      "--log <key|file>",
      "verifier keys of a log to witness, as `vouchsafe log key` prints them",
      collect,
    )
    .option("--listen <host:port>", "where logs submit their checkpoints", "127.0.0.1:8090")
    .action(
      action(async ({ terminal, json }, options: WitnessOptions) => {
        const address = parseListenAddress(options.listen);
        const { openWitness } = await import("../witness/witness.ts");
        const { serveWitness } = await import("../witness/server.ts");
        const ending = new AbortController();
        for (const name of ["SIGTERM", "SIGINT"]) process.once(name, () => ending.abort());
        const { dir: directory, name } = options;
        const logs = await readLogs(options.log);
        const witness = await openWitness({ directory, name, logs, clock: Date.now });
        try {
          const server = await serveWitness(witness, address, logTo(terminal, json));
          const { verifierKey } = witness;
          if (json) terminal.printJson({ verifierKey, url: server.url });
          else terminal.print(`${verifierKey} witnesses ${witness.origins.join(", ")} on ${server.url}`);
          if (!ending.signal.aborted) await once(ending.signal, "abort");
          await server.close();
        } finally {
          await witness.close();
        }
        return EXIT.ok;
      }),
    );
}

async function readLogs(given: readonly string[]): Promise<string[]> {
  return (await Promise.all(given.map(readLogKey))).flatMap((keys) => keys.split(/\r?\n/));
}

/** One line for each submission that was judged. */
function logTo(terminal: Terminal, json: boolean) {
  return (entry: WitnessLogEntry) => {
    const { event, status, problem, submission } = entry;
    const time = new Date().toISOString();
    if (json) terminal.note(JSON.stringify({ time, ...entry }));
    else {
      terminal.note(
        [time, event, status, problem && JSON.stringify(problem), submission && JSON.stringify(submission)]
          .filter(Boolean)
          .join(" "),
      );
    }
  };
}
