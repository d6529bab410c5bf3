import type { PolicyDocument } from "../client/types.ts";
import type { Diagnostic } from "../policy/types.ts";
import type { Terminal } from "./terminal.ts";

/** The diagnostics that an `invalid-policy` error or problem carries. */
export function diagnosticsOf(members: Readonly<Record<string, unknown>>): readonly Diagnostic[] {
  return Array.isArray(members.diagnostics) ? (members.diagnostics as Diagnostic[]) : [];
}

/** Each mistake with the line that it is in and a caret below the column, as compilers show them. */
export function printDiagnostics(
  terminal: Terminal,
  diagnostics: readonly Diagnostic[],
  documents: readonly PolicyDocument[],
): void {
  const lines = new Map(documents.map(({ name, text }) => [name, text.split(/\r?\n/)]));
  for (const { file, line, column, message } of diagnostics) {
    terminal.note(`${file}:${line}:${column}: ${message.trimEnd().replaceAll("\n", " ")}`, "bad");
    const source = lines.get(file)?.[line - 1];
    if (source === undefined) continue;
    terminal.note(`  ${source.replaceAll("\t", " ")}`);
    terminal.note(`  ${" ".repeat(column - 1)}^`);
  }
}
