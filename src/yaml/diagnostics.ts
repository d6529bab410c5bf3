/** A mistake in a YAML file, pointed at. Line and column count from 1. */
export interface Diagnostic {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The mistakes that an `invalid-policy` error, or the problem that a server makes of it, carries; none, if absent. */
export function diagnosticsOf(members: Readonly<Record<string, unknown>>): readonly Diagnostic[] {
  return Array.isArray(members.diagnostics) ? (members.diagnostics as Diagnostic[]) : [];
}

/** A mistake and its place, as compilers write them. */
export function diagnosticLine({ file, line, column, message }: Diagnostic): string {
  return `${file}:${line}:${column}: ${message.trimEnd().replaceAll("\n", " ")}`;
}
