import type { PolicyDocument } from "../../client/types.ts";
import { hasCode } from "../../errors.ts";
import type { PolicySet } from "../../policy/load.ts";
import { diagnosticsOf } from "../../yaml/diagnostics.ts";
import { tellInvalid } from "../output/diagnostics.ts";
import type { Session } from "../session.ts";

/** Loads policy files as the server would, here; undefined after what is wrong with them was told. */
export async function loadOrTell(
  { terminal, json }: Pick<Session, "terminal" | "json">,
  documents: readonly PolicyDocument[],
): Promise<PolicySet | undefined> {
  // Loaded here alone: YAML and CEL are large, and every other command would wait for them.
  const { loadPolicySet } = await import("../../policy/load.ts");
  try {
    return loadPolicySet(documents);
  } catch (error) {
    if (!hasCode(error, "invalid-policy")) throw error;
    if (json) terminal.printJson({ diagnostics: diagnosticsOf(error.extensions) });
    else tellInvalid(terminal, error.extensions, documents);
    return undefined;
  }
}
