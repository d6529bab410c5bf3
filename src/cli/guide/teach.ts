import type { Command } from "commander";
import { EVIDENCE } from "./evidence.ts";
import { type Guide, needsOf, statusOf } from "./guide.ts";
import { HELP } from "./help.ts";
import { IDENTITIES } from "./identities.ts";
import { JUDGING } from "./judging.ts";
import { OPERATING } from "./operating.ts";

/** The headings of the top help, with the guides of the commands that stand under each. */
const GROUPS: readonly (readonly [string, readonly (readonly [string, Guide])[]])[] = [
  ["Evidence and decisions:", EVIDENCE],
  ["Policies, and what overrules them:", JUDGING],
  ["Identities:", IDENTITIES],
  ["The installation:", OPERATING],
  ["Help and the shell:", HELP],
];

const GUIDES: ReadonlyMap<string, Guide> = new Map(GROUPS.flatMap(([, guides]) => guides));

/** The guide of a command, by its path without the program's name, e.g. `policy lint`. */
export function guideOf(path: string): Guide | undefined {
  return GUIDES.get(path);
}

/** A command with its path, without the program's name. */
export interface Placed {
  readonly path: string;
  readonly command: Command;
}

/** All commands below this one that its help shows, in their order; those that only hold others too. */
export function commandsOf(parent: Command, above = ""): Placed[] {
  return shownBelow(parent).flatMap((command) => {
    const path = `${above} ${command.name()}`.trim();
    return [{ path, command }, ...commandsOf(command, path)];
  });
}

/** The commands right below this one that its help shows, but for `help` itself. */
export function shownBelow(parent: Command): Command[] {
  const visible = parent.createHelp().visibleCommands(parent);
  return parent.commands.filter((command) => visible.includes(command));
}

/** Adds to every command's help who may run it, what its status says and how it is called; and groups the commands. */
export function teach(program: Command): void {
  for (const { path, command } of commandsOf(program)) {
    const guide = guideOf(path);
    if (guide !== undefined) command.addHelpText("after", afterword(guide));
  }
  for (const [heading, guides] of GROUPS) {
    const names = new Set(guides.map(([path]) => path.split(" ")[0]));
    for (const command of program.commands) if (names.has(command.name())) command.helpGroup(heading);
  }
}

function afterword(guide: Guide): string {
  const json = guide.noJson === undefined ? "" : `\nNo --json: ${guide.noJson}.`;
  const examples = guide.examples.map((example) => `  ${example}`).join("\n");
  return `\nNeeds:  ${needsOf(guide)}\nStatus: ${statusOf(guide)}${json}\n\nExamples:\n${examples}`;
}
