import { findCommand, valueCases } from "./cases.ts";
import { type Offer, type OfferedOption, quoted } from "./model.ts";

/** A completion script for bash 4 and later: no call of the program while somebody types. */
export function bashCompletion(offers: readonly Offer[]): string {
  return `# bash completion for vouchsafe, made by \`vouchsafe completion bash\`.
_vouchsafe() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at='' next word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
${findCommand(offers)}
  done
  case "$at $previous" in
${valueCases(offers, completeValue)}
  esac
  case "$at" in
${offers.map(wordCase).join("\n")}
  esac
}
complete -o filenames -F _vouchsafe vouchsafe
`;
}

function completeValue({ choices, takesFile }: OfferedOption): string {
  if (choices.length > 0) return reply(`-W ${quoted(choices.join(" "))}`);
  return takesFile ? reply("-f") : "";
}

function wordCase({ path, commands, options, files, choices }: Offer): string {
  const flags = options.flatMap((option) => option.flags).join(" ");
  const words = [...commands.map(({ name }) => name), ...choices].join(" ");
  const rest = words !== "" ? reply(`-W ${quoted(words)}`) : files ? reply("-f") : "";
  const otherwise = rest === "" ? "" : ` else ${rest}`;
  return `    ${quoted(path)}) if [[ $current == -* ]]; then ${reply(`-W ${quoted(flags)}`)}${otherwise}fi ;;`;
}

function reply(offer: string): string {
  return `mapfile -t COMPREPLY < <(compgen ${offer} -- "$current"); `;
}
