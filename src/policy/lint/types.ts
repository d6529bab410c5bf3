import { isKnownPredicateType } from "../../in-toto-attestation/index.ts";
import { compileGlob, type Glob, tokenize } from "../glob.ts";
import { overlap } from "../glob-relations.ts";
import type { LintFinding } from "../lint.ts";
import { demandsProvenance, type PolicySpec } from "../policy.ts";

/** The predicate types of SLSA provenance that are read. */
export const PROVENANCE = ["v0.1", "v0.2", "v1", "v1.0\\?draft"].map((version) =>
  compileGlob(`https://slsa.dev/provenance/${version}`),
);

/** Predicate types of which no evidence can be there. */
export function typeFindings(spec: PolicySpec): LintFinding[] {
  return [
    ...untaken(spec.predicateTypes ?? [], ["spec", "predicateTypes"]),
    ...spec.evidence.flatMap((one, index) =>
      untaken(one.predicateTypes, ["spec", "evidence", index, "predicateTypes"]),
    ),
    ...withoutProvenance(spec),
  ];
}

/** Evidence of a type that is not known is refused before any policy sees it. */
function untaken(types: readonly Glob[], path: LintFinding["path"]): LintFinding[] {
  const unknown = types.flatMap((type, index) => {
    const exact = exactly(type);
    return exact === undefined || isKnownPredicateType(exact) ? [] : [index];
  });
  return unknown.map((index) => ({
    level: unknown.length === types.length ? "error" : "warning",
    rule: "never-passes",
    path: [...path, index],
    message: "evidence of this type is not taken: is it misspelt?",
  }));
}

/** The one text that it matches; undefined for a pattern of several. */
function exactly({ text }: Glob): string | undefined {
  const tokens = tokenize(text);
  const plain = tokens.flatMap((token) => (typeof token === "object" ? [token.plain] : []));
  return plain.length === tokens.length ? plain.join("") : undefined;
}

function withoutProvenance(spec: PolicySpec): LintFinding[] {
  const { predicateTypes } = spec;
  if (!demandsProvenance(spec) || predicateTypes === undefined || overlap(predicateTypes, PROVENANCE))
    return [];
  const message =
    "`builders`, `buildTypes` and `externalParameters` ask about SLSA provenance, which this excludes";
  return [{ level: "error", rule: "never-passes", path: ["spec", "predicateTypes"], message }];
}
