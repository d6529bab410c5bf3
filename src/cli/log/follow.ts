import { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { collect } from "../arguments/collect.ts";
import { knownDigest } from "../arguments/known-digest.ts";
import { EXIT } from "../exit-codes.ts";
import { aboutWhat, eventLine, requireEventTypes } from "../output/event-words.ts";
import { action } from "../session.ts";
import { UsageError } from "../usage-error.ts";

interface FollowOptions {
  readonly type?: readonly string[];
  readonly digest?: string;
  readonly after?: string;
}

export function followCommand(): Command {
  return new Command("follow")
    .description("print the project's events as they are recorded, until it is interrupted")
    .option(
      "--type <type>",
      "only events of this type, such as quarantine.opened; may be given several times",
      collect,
    )
    .option("--digest <digest|file>", "only events about this artifact")
    .option("--after <index>", "begin after this log index, -1 for the first; without it, with what comes")
    .addHelpText(
      "after",
      `
What breaks off is taken up again, at any node, and each event is printed once. With --json each is one JSON value on its line.
Auditors and operators see all events; issuers name the types.`,
    )
    .action(
      action(async ({ client, terminal, json }, { type: types = [], digest, after }: FollowOptions) => {
        requireEventTypes(types);
        const ending = new AbortController();
        for (const name of ["SIGTERM", "SIGINT"]) process.once(name, () => ending.abort());
        const events = client().followEvents({
          types,
          ...(digest !== undefined && { digest: await knownDigest(client(), digest) }),
          ...startAfter(after === undefined ? await newest(client()) : readIndex(after)),
          signal: AbortSignal.any([ending.signal, terminal.readerLeft]),
          onLost: ({ message }) => terminal.note(`${message}; trying again`),
        });
        for await (const event of events) {
          if (json) terminal.printJson(event);
          else terminal.print(eventLine(event) + aboutWhat(event));
        }
        return EXIT.ok;
      }),
    );
}

function startAfter(index: number) {
  return index < 0 ? {} : { after: index };
}

/** The index of the log's last event, as its checkpoint's second line says. */
async function newest(client: Client): Promise<number> {
  const [, size = "0"] = (await client.checkpoint()).split("\n");
  return Number(size) - 1;
}

function readIndex(text: string): number {
  if (text === "-1" || /^(0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  throw new UsageError(`--after takes the index of an event, or -1, and not ${text}`);
}
