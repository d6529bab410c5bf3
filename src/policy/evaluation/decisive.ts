import type { Check, Evaluation } from "../types.ts";

/**
 * Of an evaluation's checks those of what came nearest to passing: of the attestation that the policy's own sections
 * ask about, and of each further requirement's evidence. Checks of attestations farther off say what else there is,
 * and not why it failed.
 */
export function decisiveChecks({ checks }: Pick<Evaluation, "checks">): readonly Check[] {
  const nearest = new Map<string, Check["attestation"]>();
  for (const { check, attestation } of checks) {
    const asker = askerOf(check);
    if (attestation !== undefined && !nearest.has(asker)) nearest.set(asker, attestation);
  }
  return checks.filter(
    ({ check, attestation }) => attestation === undefined || attestation === nearest.get(askerOf(check)),
  );
}

/** What asks it: a requirement, by its name, or the policy's own sections. */
function askerOf(check: string): string {
  return /^evidence\.[^.]+/.exec(check)?.[0] ?? "";
}
