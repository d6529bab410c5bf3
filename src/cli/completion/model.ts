import type { Command, Option } from "commander";
import { commandsOf, shownBelow } from "../guide/teach.ts";

/** What can stand after a command, for a shell to offer. */
export interface Offer {
  /** Without the program's name; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OfferedOption[];
  /** Whether its arguments are files, or may be. */
  readonly files: boolean;
  /** What its argument is one of. */
  readonly choices: readonly string[];
}

export interface OfferedOption {
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** What the value is one of. */
  readonly choices: readonly string[];
  readonly takesFile: boolean;
}

/** Of the program and of each of its commands, from the program itself: it cannot go stale. */
export function offersOf(program: Command): Offer[] {
  const global = optionsOf(program).filter(({ flags }) => !flags.includes("--version"));
  return [
    offerOf("", program, []),
    ...commandsOf(program).map(({ path, command }) => offerOf(path, command, global)),
  ];
}

/** Each option that takes a value, at each place where it may stand: `PATH FLAG`. */
export function valuedAt(offers: readonly Offer[]): string[] {
  return offers.flatMap(({ path, options }) =>
    options.flatMap(({ flags, takesValue }) => (takesValue ? flags.map((flag) => `${path} ${flag}`) : [])),
  );
}

/** As bash and zsh quote: nothing within is special. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function offerOf(path: string, command: Command, global: readonly OfferedOption[]): Offer {
  const commands = shownBelow(command).map((one) => ({ name: one.name(), description: one.description() }));
  return {
    path,
    commands:
      commands.length === 0 ? [] : [...commands, { name: "help", description: "display help for command" }],
    options: [...optionsOf(command), ...global, HELP],
    files: command.registeredArguments.some((argument) => /file|dir/.test(argument.name())),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
}

const HELP: OfferedOption = {
  flags: ["-h", "--help"],
  description: "display help for command",
  takesValue: false,
  choices: [],
  takesFile: false,
};

function optionsOf(command: Command): OfferedOption[] {
  return command.options.filter(({ hidden }) => !hidden).map(offered);
}

function offered({ short, long, description, required, optional, argChoices, flags }: Option): OfferedOption {
  return {
    flags: [short, long].filter((flag) => flag !== undefined && flag !== null),
    description,
    takesValue: required || optional,
    choices: argChoices ?? [],
    takesFile: /<[^>]*(?:file|dir|path)[^>]*>/.test(flags) && !flags.includes("owner/repo"),
  };
}
