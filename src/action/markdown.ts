import { visible } from "../cli/output/terminal.ts";

/** Characters of one piece of text from outside that are shown. */
const LONGEST = 300;

/**
 * Text from outside, to stand in Markdown as it is: every character that is no letter, digit or space of ASCII becomes a
 * character reference, which is never structure (CommonMark, 2.5), ends no table cell and makes no link by itself.
 */
export function literal(text: string, longest = LONGEST): string {
  const shown = visible(text);
  const cut = shown.length > longest ? `${shown.slice(0, longest)}…` : shown;
  return cut.replace(/[^A-Za-z0-9 ]/gu, (character) => `&#${character.codePointAt(0)};`);
}

/** The same as code. */
export function code(text: string): string {
  return `<code>${literal(text)}</code>`;
}

/** A link whose address was made here; only http and https lead anywhere. */
export function link(words: string, address: URL): string {
  if (!/^https?:$/.test(address.protocol)) return literal(words);
  return `<a href="${attribute(address.href)}">${literal(words)}</a>`;
}

function attribute(text: string): string {
  return text.replace(/[^A-Za-z0-9/.-]/gu, (character) => `&#${character.codePointAt(0)};`);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
