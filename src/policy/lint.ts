import { placeOf } from "./lint-places.ts";
import { reachFindings } from "./lint-reach.ts";
import { shadowFindings } from "./lint-shadows.ts";
import { signerFindings } from "./lint-signers.ts";
import type { PolicySet } from "./load.ts";
import type { VerificationPolicy } from "./policy.ts";
import type { Diagnostic } from "./types.ts";

/** `error`: it can do nothing of what it was written for. `warning`: most likely not what was meant. */
export type LintLevel = "error" | "warning" | "info";

/** Something that loads, and that its author should look at. */
export interface LintFinding {
  readonly level: LintLevel;
  /** Stable name of what was looked for. */
  readonly rule: string;
  /** Where in the document. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface PlacedFinding extends Diagnostic {
  readonly level: LintLevel;
  readonly rule: string;
  readonly policy: string;
}

const ORDER: Readonly<Record<LintLevel, number>> = { error: 0, warning: 1, info: 2 };

/** What to look at in policies that load, the gravest first. */
export function lintPolicies(set: PolicySet): PlacedFinding[] {
  const findings = [...set.policies.values()].flatMap((policy) =>
    lintPolicy(policy, set).map((finding) => placed(set, policy, finding)),
  );
  return findings.sort(
    (a, b) =>
      ORDER[a.level] - ORDER[b.level] ||
      (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1),
  );
}

function lintPolicy(policy: VerificationPolicy, set: PolicySet): LintFinding[] {
  return [
    ...reachFindings(policy.spec),
    ...signerFindings(policy.spec),
    ...shadowFindings(policy.spec),
    ...unnamed(policy, set),
  ];
}

function unnamed({ name }: VerificationPolicy, { workloads }: PolicySet): LintFinding[] {
  if ([...workloads.values()].some(({ spec }) => spec.policies.includes(name))) return [];
  const message = `no WorkloadPolicy of these files names \`${name}\`: it counts where a token or a question names it`;
  return [{ level: "info", rule: "unnamed", path: ["metadata", "name"], message }];
}

function placed(set: PolicySet, policy: VerificationPolicy, finding: LintFinding): PlacedFinding {
  const { level, rule, path, message } = finding;
  return { ...placeOf(set.files, policy, path, message), level, rule, policy: policy.name };
}
