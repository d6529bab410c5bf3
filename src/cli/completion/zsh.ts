import { type Offer, type OfferedOption, quoted, valuedAt } from "./model.ts";

/** A completion function for zsh, to be sourced or put into `fpath` as `_vouchsafe`. */
export function zshCompletion(offers: readonly Offer[]): string {
  const commands = offers
    .filter(({ path }) => path !== "")
    .map(({ path }) => `      ${quoted(path)}) at=$next ;;`);
  const values = valuedAt(offers).map(quoted);
  return `#compdef vouchsafe
# zsh completion for vouchsafe, made by \`vouchsafe completion zsh\`.
_vouchsafe() {
  local at='' next word
  local -i i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    next="\${at:+$at }$word"
    case "$at $word" in
      ${values.join("|\\\n      ")}) ((i++)); continue ;;
    esac
    case "$next" in
${commands.join("\n")}
    esac
  done
  case "$at $words[CURRENT-1]" in
${offers.flatMap(valueCases).join("\n")}
  esac
  case "$at" in
${offers.map(wordCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _vouchsafe ]]; then _vouchsafe "$@"; else compdef _vouchsafe vouchsafe; fi
`;
}

function valueCases({ path, options }: Offer): string[] {
  return options.flatMap(({ flags, takesValue, choices, takesFile }) => {
    if (!takesValue) return [];
    const places = flags.map((flag) => quoted(`${path} ${flag}`)).join("|");
    const offer =
      choices.length > 0 ? `compadd -- ${choices.map(quoted).join(" ")}; ` : takesFile ? "_files; " : "";
    return [`    ${places}) ${offer}return ;;`];
  });
}

function wordCase({ path, commands, options, files, choices }: Offer): string {
  const flags = described(options.flatMap((option) => option.flags.map((name) => ({ ...option, name }))));
  const words = described([...commands, ...choices.map((name) => ({ name, description: "" }))]);
  const rest = words !== "" ? `offered=(${words}); _describe command offered; ` : files ? "_files; " : "";
  const otherwise = rest === "" ? "" : `else ${rest}`;
  return `    ${quoted(path)}) if [[ $words[CURRENT] == -* ]]; then offered=(${flags}); _describe option offered; ${otherwise}fi ;;`;
}

function described(
  items: readonly ({ readonly name: string } & Pick<OfferedOption, "description">)[],
): string {
  return items.map(({ name, description }) => quoted(`${name}:${description}`)).join(" ");
}
