import { alternatives, signersText } from "../evaluation/check-text.ts";
import type { Glob } from "../glob.ts";
import { covers } from "../glob-relations.ts";
import type { LintFinding } from "../lint.ts";
import type { BuilderRule, PolicySpec, SignerRule, SummaryRule } from "../policy.ts";
import type { VersionedTag } from "../versioned-tag.ts";

type Path = LintFinding["path"];

/** Items of lists that change nothing, because another item takes all that they take. */
export function shadowFindings(spec: PolicySpec): LintFinding[] {
  const { artifacts, signers, predicateTypes, builders = [], buildTypes, source, vsa, evidence } = spec;
  const { resolvedDependencies, containment } = spec;
  return [
    ...globs(artifacts.names, ["spec", "artifacts", "names"]),
    ...shadowed(artifacts.digests ?? [], ["spec", "artifacts", "digests"], (a, b) => a === b, String),
    ...signerList(signers, ["spec", "signers"]),
    ...globs(predicateTypes, ["spec", "predicateTypes"]),
    ...shadowed(builders, ["spec", "builders"], (a, b) => builderCovers(a, b, signers), builderText),
    ...builders.flatMap(({ use, signers: own = [] }, index) =>
      use === undefined ? signerList(own, ["spec", "builders", index, "signers"]) : [],
    ),
    ...globs(buildTypes, ["spec", "buildTypes"]),
    ...globs(resolvedDependencies?.allow, ["spec", "resolvedDependencies", "allow"]),
    ...globs(source?.repositories, ["spec", "source", "repositories"]),
    ...globs(source?.refs, ["spec", "source", "refs"]),
    ...shadowed(
      source?.versionedTags ?? [],
      ["spec", "source", "versionedTags"],
      versionCovers,
      ({ text }) => text,
    ),
    ...shadowed(source?.commits ?? [], ["spec", "source", "commits"], (a, b) => a === b, String),
    ...globs(spec.externalParameters?.ignore, ["spec", "externalParameters", "ignore"]),
    ...summary(vsa, ["spec", "vsa"]),
    ...evidence.flatMap((one, index) => [
      ...globs(one.predicateTypes, ["spec", "evidence", index, "predicateTypes"]),
      ...signerList(one.signers, ["spec", "evidence", index, "signers"]),
      ...summary(one.vsa, ["spec", "evidence", index, "vsa"]),
    ]),
    ...signerList(containment?.signers ?? [], ["spec", "containment", "signers"]),
  ];
}

function summary(
  { verifierIds, resourceUris, sourceRefs }: Partial<SummaryRule> = {},
  path: Path,
): LintFinding[] {
  return [
    ...globs(verifierIds, [...path, "verifierIds"]),
    ...globs(resourceUris, [...path, "resourceUris"]),
    ...globs(sourceRefs, [...path, "sourceRefs"]),
  ];
}

function versionCovers(wide: VersionedTag, narrow: VersionedTag): boolean {
  if (wide.text === narrow.text) return true;
  return narrow.text.startsWith(`${wide.text}.`) && wide.matches(`refs/tags/${narrow.text}`);
}

function globs(list: readonly Glob[] = [], path: Path): LintFinding[] {
  return shadowed(list, path, covers, ({ text }) => text);
}

function signerList(list: readonly SignerRule[], path: Path): LintFinding[] {
  return shadowed(list, path, signerCovers, (one) => signersText([one]));
}

function signerCovers(wide: SignerRule, narrow: SignerRule): boolean {
  if (wide.case === "key" || narrow.case === "key") {
    return wide.case === "key" && narrow.case === "key" && wide.name === narrow.name;
  }
  if (wide.instance !== undefined && wide.instance !== narrow.instance) return false;
  return covers(wide.issuer, narrow.issuer) && covers(wide.identity, narrow.identity);
}

/**
 * Whether all that is believed of one is believed of the other, at its level or a higher one. Without signers of its own a
 * builder is believed from whoever may sign at all.
 */
function builderCovers(
  wide: BuilderRule,
  narrow: BuilderRule,
  policySigners: readonly SignerRule[],
): boolean {
  return (
    wide.level >= narrow.level &&
    allCovered(wide.ids, narrow.ids, covers) &&
    (wide.signers === undefined || allCovered(wide.signers, narrow.signers ?? policySigners, signerCovers)) &&
    (wide.buildTypes === undefined ||
      (narrow.buildTypes !== undefined && allCovered(wide.buildTypes, narrow.buildTypes, covers))) &&
    allCovered(narrow.rules, wide.rules, (a, b) => a.expression === b.expression)
  );
}

function allCovered<T>(
  wide: readonly T[],
  narrow: readonly T[],
  coversItem: (wide: T, narrow: T) => boolean,
): boolean {
  return narrow.every((one) => wide.some((other) => coversItem(other, one)));
}

function builderText({ use, ids }: BuilderRule): string {
  return use ?? alternatives(ids);
}

/** Of two that are equal the later one is told of. */
function shadowed<T>(
  list: readonly T[],
  path: Path,
  coversItem: (wide: T, narrow: T) => boolean,
  textOf: (item: T) => string,
): LintFinding[] {
  return list.flatMap((item, index): LintFinding[] => {
    const wider = list.find(
      (other, place) =>
        place !== index && coversItem(other, item) && (place < index || !coversItem(item, other)),
    );
    if (wider === undefined) return [];
    const message = `changes nothing: \`${textOf(wider)}\` in this list takes all that it takes`;
    return [{ level: "warning", rule: "shadowed", path: [...path, index], message }];
  });
}
