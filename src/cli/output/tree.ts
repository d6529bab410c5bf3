import type { Mark, Terminal } from "./terminal.ts";

/** A line of a tree, what is told beneath it, and what hangs on it. */
export interface Branch {
  readonly text: string;
  /** Colours the line's first word. */
  readonly mark?: Mark;
  readonly notes?: readonly string[];
  readonly branches?: readonly Branch[];
}

interface Guides {
  readonly branch: string;
  readonly last: string;
  readonly past: string;
  readonly none: string;
}

const SYMBOLS: Guides = { branch: "├─ ", last: "└─ ", past: "│  ", none: "   " };
const ASCII: Guides = { branch: "|- ", last: "`- ", past: "|  ", none: "   " };

/** Prints branches beneath each other, each with its own before the next. */
export function printTree(terminal: Terminal, branches: readonly Branch[]): void {
  grow(terminal, branches, "", terminal.showsSymbols ? SYMBOLS : ASCII);
}

function grow(terminal: Terminal, branches: readonly Branch[], indent: string, guides: Guides): void {
  for (const [i, { text, mark, notes = [], branches: above = [] }] of branches.entries()) {
    const isLast = i === branches.length - 1;
    terminal.print(`${indent}${isLast ? guides.last : guides.branch}${text}`, mark);
    const deeper = `${indent}${isLast ? guides.none : guides.past}`;
    for (const note of notes) terminal.print(`${deeper}${above.length > 0 ? guides.past : ""}${note}`);
    grow(terminal, above, deeper, guides);
  }
}
