import type { VouchsafeError } from "../errors.ts";
import { diagnosticLine, diagnosticsOf } from "../yaml/diagnostics.ts";

/** Why a node does not start: one sentence, or of policies that do not load the place of every mistake. */
export function startProblem({ code, message, extensions }: VouchsafeError): string {
  const places = diagnosticsOf(extensions).map(diagnosticLine);
  const why = places.length === 0 ? message : ["the policies do not load", ...places].join("\n  ");
  return `vouchsafe: ${code}: ${why}`;
}
