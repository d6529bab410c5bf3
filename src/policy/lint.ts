import type { Diagnostic } from "../yaml/diagnostics.ts";
import type { AccessPolicy } from "./access-policy.ts";
import type { Builder } from "./builder.ts";
import { EXECUTABLE, policiesOf } from "./components.ts";
import type { FederatedTrustDomain } from "./federated-trust-domain.ts";
import { accessFindings } from "./lint/access.ts";
import { placeOf } from "./lint/places.ts";
import { reachFindings } from "./lint/reach.ts";
import { shadowFindings } from "./lint/shadows.ts";
import { keyFindings, signerFindings } from "./lint/signers.ts";
import type { PolicySet } from "./load.ts";
import { modeOf, type VerificationPolicy } from "./policy.ts";
import type { WorkloadPolicy } from "./workload-policy.ts";

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
  /** The policy's name, or the builder's. */
  readonly policy: string;
}

const ORDER: Readonly<Record<LintLevel, number>> = { error: 0, warning: 1, info: 2 };

/**
 * What to look at in policies that load, the gravest first.
 *
 * @param trustedKeys the names of the keys in the trust that the policies are to count under, where that is known
 */
export function lintPolicies(set: PolicySet, trustedKeys?: readonly string[]): PlacedFinding[] {
  const findings = [
    ...[...set.policies.values()].flatMap((policy) =>
      lintPolicy(policy, set, trustedKeys).map((finding) =>
        placed(set, { ...policy, kind: "VerificationPolicy" }, finding),
      ),
    ),
    ...[...set.builders.values()].flatMap((builder) =>
      unused(builder, set).map((finding) => placed(set, { ...builder, kind: "Builder" }, finding)),
    ),
    ...[...set.federations.values()].flatMap((domain) =>
      unbelieved(domain, set).map((finding) =>
        placed(set, { ...domain, kind: "FederatedTrustDomain" }, finding),
      ),
    ),
    ...[...set.access.values()].flatMap((access) =>
      accessFindings(access, set).map((finding) => placed(set, { ...access, kind: "AccessPolicy" }, finding)),
    ),
    ...[...set.workloads.values()].flatMap((workload) =>
      auditOnly(workload, set).map((finding) =>
        placed(set, { ...workload, kind: "WorkloadPolicy" }, finding),
      ),
    ),
  ];
  return findings.sort(
    (a, b) =>
      ORDER[a.level] - ORDER[b.level] ||
      (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1),
  );
}

function lintPolicy(
  policy: VerificationPolicy,
  set: PolicySet,
  trustedKeys?: readonly string[],
): LintFinding[] {
  return [
    ...reachFindings(policy.spec),
    ...signerFindings(policy.spec),
    ...(trustedKeys ? keyFindings(policy.spec, trustedKeys) : []),
    ...shadowFindings(policy.spec),
    ...idleLevels(policy, set),
    ...unnamed(policy, set),
  ];
}

/** A level that says again what the builder's own says. */
function idleLevels({ spec }: VerificationPolicy, { builders }: PolicySet): LintFinding[] {
  return (spec.builders ?? []).flatMap(({ use = "", loweredTo }, index): LintFinding[] => {
    if (loweredTo === undefined || loweredTo !== builders.get(use)?.spec.level) return [];
    const message = `changes nothing: \`${use}\` is trusted for this level and no higher one`;
    return [{ level: "warning", rule: "shadowed", path: ["spec", "builders", index, "level"], message }];
  });
}

/** Where there are policies; a directory of builders alone is a library. */
function unused({ name }: Builder, { policies }: PolicySet): LintFinding[] {
  const isUsed = [...policies.values()].some(({ spec }) => spec.builders?.some(({ use }) => use === name));
  if (policies.size === 0 || isUsed) return [];
  const message = `no policy of these files uses \`${name}\``;
  return [{ level: "warning", rule: "unused", path: ["metadata", "name"], message }];
}

function unbelieved(
  { spec: { trustDomain } }: FederatedTrustDomain,
  { workloads }: PolicySet,
): LintFinding[] {
  if ([...workloads.values()].some(({ spec }) => spec.federatesWith.includes(trustDomain))) return [];
  const message = `no WorkloadPolicy of these files federates with \`${trustDomain}\`: no workload believes it`;
  return [{ level: "warning", rule: "unused", path: ["spec", "trustDomain"], message }];
}

function unnamed({ name }: VerificationPolicy, { workloads, access }: PolicySet): LintFinding[] {
  if ([...workloads.values()].some(({ spec }) => policiesOf(spec).includes(name))) return [];
  const isAskedBy = ({ spec }: AccessPolicy) => spec.rules.some(({ policies }) => policies.includes(name));
  if ([...access.values()].some(isAskedBy)) return [];
  const message = `no WorkloadPolicy or AccessPolicy of these files names \`${name}\`: it counts where a token or a question names it`;
  return [{ level: "info", rule: "unnamed", path: ["metadata", "name"], message }];
}

function auditOnly({ spec }: WorkloadPolicy, { policies }: PolicySet): LintFinding[] {
  const message =
    "all of these are in audit mode: none vouches for anything, so this workload never gets an identity";
  return [...spec.components]
    .filter(([, demand]) => !demand.policies.some((name) => modeOf(name, policies) === "enforce"))
    .map(([component]) => ({
      level: "warning",
      rule: "audit-only",
      // Where it is written short, as it mostly is.
      path: component === EXECUTABLE ? ["spec", "policies"] : ["spec", "components", component, "policies"],
      message,
    }));
}

function placed(set: PolicySet, policy: Parameters<typeof placeOf>[1], finding: LintFinding): PlacedFinding {
  const { level, rule, path, message } = finding;
  return { ...placeOf(set.files, policy, path, message), level, rule, policy: policy.name };
}
