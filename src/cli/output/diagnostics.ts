import type { PolicyDocument } from "../../client/types.ts";
import { type Diagnostic, diagnosticLine, diagnosticsOf } from "../../yaml/diagnostics.ts";
import type { Terminal } from "./terminal.ts";

/** Characters of a line that are shown: most lines of policies are shorter. */
const EXCERPT = 160;

/** Each mistake with the line that it is in and a caret below the column, as compilers show them. */
export function printDiagnostics(
  terminal: Terminal,
  diagnostics: readonly Diagnostic[],
  documents: readonly PolicyDocument[],
): void {
  for (const diagnostic of diagnostics) {
    terminal.note(diagnosticLine(diagnostic), "bad");
    showPlace(terminal, diagnostic, documents);
  }
}

/** What is said of policy files that do not load, here or at the server. */
export function tellInvalid(
  terminal: Terminal,
  extensions: Readonly<Record<string, unknown>>,
  documents: readonly PolicyDocument[],
): void {
  printDiagnostics(terminal, diagnosticsOf(extensions), documents);
  terminal.note("error: the policy files do not load, and nothing was changed", "bad");
  terminal.note("  code: invalid-policy");
}

/** The line that it is in, or what there is room for, and a caret below the column. */
export function showPlace(
  terminal: Terminal,
  { file, line, column }: Diagnostic,
  documents: readonly PolicyDocument[],
): void {
  const text = documents.find(({ name }) => name === file)?.text;
  const source = text?.split(/\r?\n/)[line - 1];
  if (source === undefined) return;
  // Of a line that no terminal has room for, what stands around the column.
  const begin = source.length <= EXCERPT ? 0 : Math.max(0, column - 1 - EXCERPT / 2);
  const shown = source.slice(begin, begin + EXCERPT).replaceAll("\t", " ");
  terminal.note(`  ${shown}`);
  terminal.note(`  ${" ".repeat(column - 1 - begin)}^`);
}
