import { findCommand, valueCases } from "./cases.ts";
import { type Offer, type OfferedOption, quoted } from "./model.ts";

/** A completion function for zsh, to be sourced or put into `fpath` as `_vouchsafe`. */
export function zshCompletion(offers: readonly Offer[]): string {
  return `#compdef vouchsafe
# zsh completion for vouchsafe, made by \`vouchsafe completion zsh\`.
_vouchsafe() {
  local at='' next word
  local -i i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
${findCommand(offers)}
  done
  case "$at $words[CURRENT-1]" in
${valueCases(offers, completeValue)}
  esac
  case "$at" in
${offers.map(wordCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _vouchsafe ]]; then _vouchsafe "$@"; else compdef _vouchsafe vouchsafe; fi
`;
}

function completeValue({ choices, takesFile }: OfferedOption): string {
  if (choices.length > 0) return `compadd -- ${choices.map(quoted).join(" ")}; `;
  return takesFile ? "_files; " : "";
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
