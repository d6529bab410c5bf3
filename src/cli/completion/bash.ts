import { type Offer, quoted, valuedAt } from "./model.ts";

/** A completion script for bash 4 and later: no call of the program while somebody types. */
export function bashCompletion(offers: readonly Offer[]): string {
  const commands = offers
    .filter(({ path }) => path !== "")
    .map(({ path }) => `      ${quoted(path)}) at=$next ;;`);
  const values = valuedAt(offers).map(quoted);
  return `# bash completion for vouchsafe, made by \`vouchsafe completion bash\`.
_vouchsafe() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at='' next word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    next="\${at:+$at }$word"
    case "$at $word" in
      ${values.join("|\\\n      ")}) ((i++)); continue ;;
    esac
    case "$next" in
${commands.join("\n")}
    esac
  done
  case "$at $previous" in
${offers.flatMap(valueCases).join("\n")}
  esac
  case "$at" in
${offers.map(wordCase).join("\n")}
  esac
}
complete -o filenames -F _vouchsafe vouchsafe
`;
}

function valueCases({ path, options }: Offer): string[] {
  return options.flatMap(({ flags, takesValue, choices, takesFile }) => {
    if (!takesValue) return [];
    const places = flags.map((flag) => quoted(`${path} ${flag}`)).join("|");
    const offer = choices.length > 0 ? `-W ${quoted(choices.join(" "))}` : takesFile ? "-f" : undefined;
    return [`    ${places}) ${offer === undefined ? "" : reply(offer)}return ;;`];
  });
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
