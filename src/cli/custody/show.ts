import { Command, Option } from "commander";
import type { CustodyEvent } from "../../client/custody-types.ts";
import { collect } from "../arguments/collect.ts";
import { knownDigest } from "../arguments/known-digest.ts";
import { EXIT } from "../exit-codes.ts";
import { eventLine, requireEventTypes } from "../output/event-words.ts";
import { short } from "../output/findings.ts";
import type { Terminal } from "../output/terminal.ts";
import { time } from "../output/time.ts";
import { action, type Session } from "../session.ts";
import { UsageError } from "../usage-error.ts";
import { type CustodySource, readFromServer } from "./source.ts";

interface ShowOptions {
  readonly events?: boolean;
  readonly type?: readonly string[];
  readonly asOf?: string;
}

export function showCommand(): Command {
  return new Command("show")
    .description("show where an artifact comes from, what let it through, and what became of it")
    .argument("<digest|file>", "algorithm:hex, a file, or a custody file")
    .option("--events", "every event in the order of the log, in the place of the tree")
    .addOption(
      new Option(
        "--type <type>",
        "only events of this type, such as identity.issued; may be given several times",
      ).argParser(collect),
    )
    .option("--as-of <size|time>", "as the log was: a size, or a time such as 2026-03-01T12:00:00Z")
    .action(
      action(async (session, artifact: string, { events = false, type, asOf }: ShowOptions) => {
        const { terminal, json } = session;
        requireEventTypes(type ?? []);
        const custody = await open(session, artifact, asOf);
        if (json) terminal.printJson(await whole(custody, type));
        else if (events || type !== undefined) await printEvents(terminal, custody, type);
        else await printCustody(terminal, custody);
        return EXIT.ok;
      }),
    );
}

async function open(
  { client, terminal, json }: Session,
  argument: string,
  asOf: string | undefined,
): Promise<CustodySource> {
  // Loaded here alone: every other command would wait for them.
  const { isCustodyFile, openCustodyFile } = await import("./file.ts");
  if (!(await isCustodyFile(argument)))
    return readFromServer(client(), await knownDigest(client(), argument), { asOf, proofs: json, terminal });
  if (asOf !== undefined)
    throw new UsageError("A custody file is as of its own log size: export one as of another");
  const custody = await openCustodyFile(argument, terminal);
  terminal.note(
    `As ${argument} tells it; whether that is true: vouchsafe custody verify ${argument} --log-key KEY`,
  );
  return custody;
}

async function whole({ head, summary, events }: CustodySource, types: readonly string[] | undefined) {
  const all: CustodyEvent[] = [];
  for await (const event of events(types)) all.push(event);
  return { ...head, summary, events: all };
}

async function printCustody(terminal: Terminal, { head, summary }: CustodySource): Promise<void> {
  const { custodyTree } = await import("./tree.ts");
  const { printTree } = await import("../output/tree.ts");
  terminal.print(head.artifact);
  if (summary.names.length > 0) terminal.print(summary.names.join(", "));
  terminal.print(`as of log size ${head.treeSize}, ${time(head.time)}, in ${head.origin}`);
  for (const { index, lifted, reason, target } of summary.quarantines.newest) {
    const what = target === head.artifact ? "quarantined" : `quarantined, with ${target}`;
    if (lifted === null) terminal.print(`${what} (#${index}): ${reason}`, "bad");
  }
  printTree(terminal, custodyTree(summary, head.artifact, head.time));
  terminal.note("#N is an event of the log; --events shows all of them in order, custody export proves them");
}

async function printEvents(
  terminal: Terminal,
  { head, events }: CustodySource,
  types: readonly string[] | undefined,
): Promise<void> {
  let count = 0;
  for await (const { index, type, time: at, chain, body } of events(types)) {
    count += 1;
    const whose = chain === undefined ? "" : chain === "*" ? " (of the project)" : ` (of ${short(chain)})`;
    terminal.print(eventLine({ index, type, time: at, body }) + whose);
  }
  terminal.print(`${count} events of ${head.artifact}`);
  terminal.print(`as of log size ${head.treeSize}, ${time(head.time)}, in ${head.origin}`);
}
