import { type Offer, type OfferedOption, quoted, valuedAt } from "./model.ts";

// Shell that bash and zsh read alike.

/** The inside of a loop over the words before the cursor, `$word` at `$i`: it leaves in `$at` which command they name. */
export function findCommand(offers: readonly Offer[]): string {
  const values = valuedAt(offers).map(quoted);
  const commands = offers
    .filter(({ path }) => path !== "")
    .map(({ path }) => `      ${quoted(path)}) at=$next ;;`);
  return `    next="\${at:+$at }$word"
    case "$at $word" in
      ${values.join("|\\\n      ")}) ((i++)); continue ;;
    esac
    case "$next" in
${commands.join("\n")}
    esac`;
}

/** Cases of the command and the word before the cursor, where that one is an option that takes a value. */
export function valueCases(offers: readonly Offer[], offer: (option: OfferedOption) => string): string {
  return offers
    .flatMap(({ path, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map((option) => {
          const places = option.flags.map((flag) => quoted(`${path} ${flag}`)).join("|");
          return `    ${places}) ${offer(option)}return ;;`;
        }),
    )
    .join("\n");
}
