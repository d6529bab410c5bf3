import { type Offer, type OfferedOption, valuedAt } from "./model.ts";

/** Completions for fish: a line for each command and option, with the place that it belongs to. */
export function fishCompletion(offers: readonly Offer[]): string {
  const paths = offers.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  const values = valuedAt(offers).map(quoted);
  return `# fish completion for vouchsafe, made by \`vouchsafe completion fish\`.
function __vouchsafe_at
    set -l at ''
    set -l skipped 0
    for word in (commandline -opc)[2..-1]
        if test $skipped = 1
            set skipped 0
            continue
        end
        if contains -- "$at $word" ${values.join(" ")}
            set skipped 1
            continue
        end
        set -l next (string trim -- "$at $word")
        contains -- "$next" ${paths.join(" ")}; and set at "$next"
    end
    test "$at" = "$argv[1]"
end
complete -c vouchsafe -f
${offers.flatMap(linesOf).join("\n")}
`;
}

function linesOf({ path, commands, options, files, choices }: Offer): string[] {
  const at = `complete -c vouchsafe -n ${quoted(`__vouchsafe_at ${quoted(path)}`)}`;
  return [
    ...commands.map(({ name, description }) => `${at} -a ${quoted(name)} -d ${quoted(description)}`),
    ...(choices.length > 0 ? [`${at} -a ${quoted(choices.join(" "))}`] : []),
    ...(files ? [`${at} -F`] : []),
    ...options.map((option) => `${at} ${optionText(option)}`),
  ];
}

function optionText({ flags, description, takesValue, choices, takesFile }: OfferedOption): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : takesFile ? " -r -F" : " -x";
  return `${names.join(" ")}${takesValue ? value : ""} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
