import { Command, Option } from "commander";
import type { InventoryEntry, InventoryMark, InventoryQuery, InventoryState } from "../client/inventory.ts";
import { knownDigest } from "./arguments/known-digest.ts";
import { EXIT } from "./exit-codes.ts";
import { printTable } from "./output/table.ts";
import type { Mark } from "./output/terminal.ts";
import { time } from "./output/time.ts";
import { action } from "./session.ts";

const STATES = ["live", "ended", "revoked"] as const satisfies readonly InventoryState[];
const MARKS = ["never-renewed", "orphaned", "unowned"] as const satisfies readonly InventoryMark[];
const HEADINGS = [
  "STATE",
  "LIVE",
  "SUBJECT",
  "BY",
  "REQUESTER",
  "OWNER",
  "LAST GRANTED",
  "LAST RENEWED",
  "MARKS",
];
const COLOURS: Readonly<Record<InventoryState, Mark>> = { live: "good", ended: "plain", revoked: "bad" };

export function inventoryCommand(): Command {
  return new Command("inventory")
    .description("show everyone who was ever granted an identity, with owner, artifact and last renewal")
    .argument("[digest|file]", "only those whose newest grant was for this artifact")
    .option("--subject <id>", "only this SPIFFE ID, or whom an outside issuer granted to")
    .option("--workload <name>", "only those of this workload policy")
    .option("--issuer <name>", "only those of this outside issuer")
    .option("--requester <name>", "only those that this agent or token asked for")
    .addOption(new Option("--state <state>", "only those in this state").choices(STATES))
    .addOption(new Option("--mark <mark>", "only those marked so").choices(MARKS))
    .option("--after <next>", "the page after one that said so")
    .action(
      action(async ({ client, terminal, json }, artifact: string | undefined, query: InventoryQuery) => {
        const page = await client().listInventory({
          ...query,
          ...(artifact !== undefined && { digest: await knownDigest(client(), artifact) }),
        });
        if (json) {
          terminal.printJson(page);
          return EXIT.ok;
        }
        const { inventory } = page;
        printTable(terminal, HEADINGS, inventory.map(cellsOf), {
          empty: "Nobody was granted an identity yet, or nobody like this.",
          mark: (row) => COLOURS[inventory[row]?.state ?? "ended"],
          below: (row) => (inventory[row]?.digests ?? []).map((digest) => `for ${digest}`),
        });
        if (page.next !== null) terminal.note(`more: --after ${page.next}`);
        return EXIT.ok;
      }),
    );
}

function cellsOf(entry: InventoryEntry): readonly string[] {
  const { state, live, subject, workload, issuer, requester, owner, lastGrantedAt, lastRenewedAt, marks } =
    entry;
  const by = workload ?? issuer ?? "";
  return [
    state,
    String(live),
    subject,
    by,
    requester,
    owner ?? "-",
    time(lastGrantedAt),
    lastRenewedAt === null ? "-" : time(lastRenewedAt),
    marks.join(","),
  ];
}
