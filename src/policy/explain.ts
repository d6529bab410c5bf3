import { alternatives, approversText } from "./evaluation/check-text.ts";
import { parametersText } from "./explain-parameters.ts";
import type { Glob } from "./glob.ts";
import {
  type ApprovalRule,
  type ArtifactSelector,
  type BuilderRule,
  type ContainmentRule,
  type DependencyRules,
  demandsProvenance,
  type PolicySpec,
  type Requirement,
  type Rule,
  type SignerRule,
  type SummaryRule,
  type ThresholdRule,
} from "./policy.ts";

/** One section of a policy in words. */
export interface Sentence {
  /** As the policy calls it, e.g. `signers`, `rule:hosted-runner`, `evidence.scan`. */
  readonly section: string;
  readonly text: string;
  /** Whether this check asks what the sentence says. */
  asks(check: string): boolean;
}

const DAY = 86_400_000;

/** What a policy asks, a sentence for each section. The first ones are about one attestation, "it". */
export function explainPolicy(spec: PolicySpec): Sentence[] {
  const { signers, predicateTypes, maxAge, builders, buildTypes, source, vsa, rules, evidence, joins } = spec;
  const { resolvedDependencies } = spec;
  return [
    sentence("artifacts", artifactsText(spec.artifacts), "artifact."),
    sentence("signers", `It is signed by ${whoText(signers)}.`, "signer"),
    ...(predicateTypes
      ? [sentence("predicateTypes", `It is of the type ${alternatives(predicateTypes)}.`, "predicateType")]
      : []),
    ...(maxAge === undefined ? [] : [sentence("maxAge", ageText(maxAge), "maxAge")]),
    ...(spec.thresholds ? [sentence("thresholds", thresholdsText(spec.thresholds), "thresholds")] : []),
    ...(demandsProvenance(spec)
      ? [sentence("provenance", "It is SLSA provenance that can be read.", "provenance")]
      : []),
    ...(builders ? [sentence("builders", `It was built by ${buildersText(builders)}.`, "builder")] : []),
    ...globSection("buildTypes", buildTypes, "The build is of the type", "buildType"),
    ...(resolvedDependencies
      ? [sentence("resolvedDependencies", dependenciesText(resolvedDependencies), "resolvedDependencies")]
      : []),
    ...globSection("source.repositories", source?.repositories, "Its source is", "source.repository"),
    ...globSection("source.refs", source?.refs, "Its source's ref is", "source.ref"),
    ...globSection(
      "source.versionedTags",
      source?.versionedTags,
      "Its source's tag is of the version",
      "source.versionedTag",
    ),
    ...(source?.commits
      ? [
          sentence(
            "source.commits",
            `Its source's commit is ${source.commits.join(" or ")}.`,
            "source.commit",
          ),
        ]
      : []),
    sentence(
      "source",
      "Provenance and certificate do not contradict each other on the source.",
      "source.agreement",
    ),
    ...(demandsProvenance(spec)
      ? [sentence("externalParameters", parametersText(spec.externalParameters), "externalParameters")]
      : []),
    ...(vsa ? [sentence("vsa", summaryText(vsa), "vsa")] : []),
    ...rules.map((rule) => ruleSentence(rule, "rule:")),
    ...evidence.map(requirementSentence),
    ...joins.map((join) => ruleSentence(join, "join:")),
    sentence("containment", containmentText(spec.containment), "containment"),
    ...(spec.approvals ? [sentence("approvals", approvalsText(spec.approvals), "approvals")] : []),
  ];
}

/** A check that is called `name`, or something of it: `vsa`, `vsa.levels`. */
function sentence(section: string, text: string, name: string): Sentence {
  const whole = name.replace(/\.$/, "");
  return { section, text, asks: (check) => check === whole || check.startsWith(`${whole}.`) };
}

function globSection(
  section: string,
  globs: readonly Pick<Glob, "text">[] | undefined,
  words: string,
  check: string,
): Sentence[] {
  return globs === undefined ? [] : [sentence(section, `${words} ${alternatives(globs)}.`, check)];
}

function artifactsText({ names, digests }: ArtifactSelector): string {
  const name = names?.some(({ text }) => text === "**")
    ? "may call the artifact anything"
    : names && `calls the artifact ${alternatives(names)}`;
  const digest = digests && `is about ${digests.join(" or ")}`;
  return `It ${[name, digest].filter((part) => part !== undefined).join(", and ")}.`;
}

function whoText(signers: readonly SignerRule[]): string {
  return signers
    .map((signer) =>
      signer.case === "key"
        ? `the key ${signer.name}`
        : `${signer.identity.text}, as ${signer.issuer.text} knows it${certifiedBy(signer.instance)}`,
    )
    .join("; or by ");
}

function certifiedBy(instance: string | undefined): string {
  return instance === undefined ? "" : ` and ${instance} certifies it`;
}

function buildersText(builders: readonly BuilderRule[]): string {
  return builders
    .map(({ use, ids, level, signers, buildTypes, rules }) => {
      const parts = [
        ...(use === undefined ? [] : [`as ${alternatives(ids)}`]),
        ...(signers ? [`by the word of ${whoText(signers)}`] : []),
        ...(buildTypes ? [`in a build of the type ${alternatives(buildTypes)}`] : []),
        ...rules.map((rule) => `where ${ruleText(rule)}`),
      ];
      return [`${use ?? alternatives(ids)} (level ${level})`, ...parts].join(", ");
    })
    .join("; or by ");
}

function dependenciesText({ allow, require, pinned }: DependencyRules): string {
  const parts = [
    ...(allow ? [`took in nothing but ${alternatives(allow)}`] : []),
    ...(require ? [`took in ${require.map(({ text }) => text).join(" and ")}`] : []),
    ...(pinned ? ["names each thing that it took in by its digest"] : []),
  ];
  return `The build ${parts.join(", and ")}.`;
}

function thresholdsText({ logEntries, timestamps, scts }: ThresholdRule): string {
  const asked = [
    logEntries && `logs of ${logEntries}`,
    timestamps && `sources of time of ${timestamps}`,
    scts && `certificate logs of ${scts}`,
  ].filter(Boolean);
  return `It is borne witness to by ${asked.join(", ")} operators or more.`;
}

function ageText(maxAge: number): string {
  return `It was signed at most ${durationText(maxAge)} ago, by a trusted time.`;
}

function durationText(milliseconds: number): string {
  const units = [
    [DAY, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
    [1000, "second"],
  ] as const;
  const [size, unit] = units.find(([size]) => milliseconds % size === 0) ?? [1, "millisecond"];
  const count = milliseconds / size;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function approvalsText(rule: ApprovalRule): string {
  const { required, expiresAfter } = rule;
  const people = required === 1 ? "one person" : `${required} different people`;
  return `And it is let through when ${people} approved it within ${durationText(expiresAfter)}, who neither built it nor had it built: ${approversText(rule)}.`;
}

function summaryText({ verifierIds, resourceUris, levels = [], sourceRefs }: SummaryRule): string {
  const at = levels.length > 0 ? ` at ${levels.join(" and ")}` : "";
  const as = sourceRefs === undefined ? "" : `, as what ${alternatives(sourceRefs)} pointed to`;
  return `It is a verification summary in which ${alternatives(verifierIds)} passed ${alternatives(resourceUris)}${at}${as}.`;
}

function containmentText(rule: ContainmentRule | undefined): string {
  const manifest = "Or an artifact passes that holds it, as a manifest says";
  if (rule === undefined) return `${manifest}.`;
  const age = rule.maxAge === undefined ? "" : ` ${ageText(rule.maxAge)}`;
  return `${manifest} or a statement of containment, signed by ${whoText(rule.signers)}.${age}`;
}

function ruleSentence(rule: Pick<Rule, "name" | "message" | "expression">, prefix: string): Sentence {
  const section = prefix + rule.name;
  return { section, text: ruleText(rule), asks: (check) => check === section };
}

function ruleText({ message, expression }: Pick<Rule, "message" | "expression">): string {
  const onOneLine = expression.trim().replaceAll(/\s*\n\s*/g, " ");
  return message === undefined ? `${onOneLine} is true.` : `${message}: ${onOneLine}`;
}

function requirementSentence(requirement: Requirement): Sentence {
  const { name, about, predicateTypes, signers, maxAge, vsa, rules, require } = requirement;
  const what = about === "source" ? " about the commit that was built," : "";
  const count = require === undefined ? "" : `, by ${require.atLeast} different signers`;
  const parts = [
    `Besides it there is evidence${what} of the type ${alternatives(predicateTypes)}${count}, signed by ${whoText(signers)}.`,
    ...(maxAge === undefined ? [] : [ageText(maxAge)]),
    ...(vsa ? [summaryText(vsa)] : []),
    ...rules.map(ruleText),
  ];
  return sentence(`evidence.${name}`, parts.join(" "), `evidence.${name}`);
}
