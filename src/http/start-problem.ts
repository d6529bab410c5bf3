import { mistakesOf } from "../config/mistakes.ts";
import type { VouchsafeError } from "../errors.ts";
import { diagnosticLine, diagnosticsOf } from "../yaml/diagnostics.ts";

/** Why a node does not start: one sentence, or of a configuration or policies with mistakes each on its line. */
export function startProblem({ code, message, extensions }: VouchsafeError): string {
  const places = diagnosticsOf(extensions).map(diagnosticLine);
  const mistakes = mistakesOf(extensions);
  const why =
    places.length > 0
      ? ["the policies do not load", ...places]
      : mistakes.length > 1
        ? ["the configuration does not hold", ...mistakes]
        : [message];
  return `vouchsafe: ${code}: ${why.join("\n  ")}`;
}
