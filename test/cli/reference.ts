import type { Command, Option } from "commander";
import { needsOf, statusOf } from "../../src/cli/guide/guide.ts";
import { commandsOf, guideOf, shownBelow } from "../../src/cli/guide/teach.ts";

/** The reference of docs/cli.md, from the program itself. */
export function referenceOf(program: Command): string {
  const groups = Map.groupBy(shownBelow(program), (command) => command.helpGroup());
  const all = commandsOf(program);
  const sections = [...groups]
    .filter(([heading]) => heading !== "")
    .map(([heading, commands]) => {
      const parts = commands.flatMap((top) =>
        all.flatMap(({ path, command }) =>
          path.split(" ")[0] === top.name() ? [partOf(path, command)] : [],
        ),
      );
      return `### ${heading.replace(/:$/, "")}\n\n${parts.join("\n")}`;
    });
  return `${tableOf(program.options)}\n${sections.join("\n")}`;
}

function partOf(path: string, command: Command): string {
  const guide = guideOf(path);
  const called = `#### \`${`vouchsafe ${path} ${command.usage()}`.trim()}\`\n\n${sentence(command.description())}\n`;
  if (guide === undefined) return called;
  const places = command.registeredArguments.filter(({ description }) => description !== "");
  const table = tableOf(
    command.options,
    places.map((one) => [one.name(), one.description]),
  );
  const json = guide.noJson === undefined ? "" : ` No \`--json\`: ${guide.noJson}.`;
  return `${called}\n${table}Needs ${needsOf(guide)}. Status: ${statusOf(guide)}.${json}\n\n\`\`\`sh\n${guide.examples.join("\n")}\n\`\`\`\n`;
}

function tableOf(options: readonly Option[], places: readonly (readonly [string, string])[] = []): string {
  const shown = options.filter(({ hidden }) => !hidden);
  if (shown.length + places.length === 0) return "";
  const rows = [
    ...places.map(([name, text]) => `| \`${cell(name)}\` | ${cell(text)} |`),
    ...shown.map((option) => `| \`${cell(option.flags)}\` | ${cell(described(option))} |`),
  ];
  return `| | |\n|---|---|\n${rows.join("\n")}\n\n`;
}

function described({ description, argChoices, defaultValue, envVar, mandatory }: Option): string {
  const more = [
    ...(mandatory ? ["needed"] : []),
    ...(argChoices ? [`one of ${argChoices.join(", ")}`] : []),
    ...(defaultValue === undefined ? [] : [`if left out, ${defaultValue}`]),
    ...(envVar ? [`or \`${envVar}\``] : []),
  ];
  return more.length === 0 ? description : `${description} (${more.join("; ")})`;
}

/** Tables end a cell at a bar, and read `<` as HTML outside of code. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
