import type { Mark, Terminal } from "./terminal.ts";

/** What stands beside the rows. */
export interface TableOptions {
  /** What is told where there are none: a list that prints nothing leaves people in doubt. On stderr, as it is no result. */
  readonly empty?: string;
  /** Before each line. */
  readonly indent?: string;
  /** The colour of a row's first word. */
  readonly mark?: (row: number) => Mark;
  /** Lines below a row. */
  readonly below?: (row: number) => readonly string[];
}

/** Prints rows under headings, each column as wide as its widest cell, the last one as it is. */
export function printTable(
  terminal: Terminal,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { empty, indent = "", mark = () => "plain", below = () => [] }: TableOptions = {},
): void {
  if (rows.length === 0) {
    if (empty !== undefined) terminal.note(empty);
    return;
  }
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `${indent}${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd();
  terminal.print(line(head));
  for (const [index, row] of rows.entries()) {
    terminal.print(line(row), mark(index));
    for (const text of below(index)) terminal.print(`${indent}  ${text}`);
  }
}
