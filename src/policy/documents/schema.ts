import { isMap, isScalar, isSeq } from "yaml";
import type { Builder } from "../builder.ts";
import {
  type DependencyRules,
  KINDS,
  MODES,
  type ParameterPattern,
  type PolicySpec,
  type SourceRule,
  type ThresholdRule,
} from "../policy.ts";
import { type VersionedTag, versionedTag } from "../versioned-tag.ts";
import { approvals } from "./approval-schema.ts";
import { type WrittenSpec, withBuilders, writtenBuilder } from "./builder-schema.ts";
import { documentOf, type WrittenDocument } from "./document.ts";
import { compileJoins, requirements, summaryProblem, summaryRule, writtenJoins } from "./evidence-schema.ts";
import {
  boolean,
  digest,
  duration,
  integer,
  isText,
  list,
  oneOf,
  optional,
  pattern,
  type Reader,
  record,
  refuse,
  required,
  table,
  text,
  textLike,
} from "./readers.ts";
import { resourceUriTemplate } from "./resource-uri.ts";
import { rules, signer } from "./rule-schema.ts";

/** As many as a trust document may ask for. */
const MAX_THRESHOLD = 8;

const parameter: Reader<ParameterPattern> = (source, node, parent) => {
  if (isMap(node)) {
    const members = table(parameter)(source, node, parent);
    return members && { case: "members", members };
  }
  if (isSeq(node)) {
    const patterns = list(parameter)(source, node, parent);
    return patterns && { case: "anyOf", patterns };
  }
  if (isText(node)) {
    const glob = pattern(source, node, parent);
    return glob && { case: "text", glob };
  }
  if (!isScalar(node)) return refuse(source, node, parent, "a value is expected");
  // `readYaml` lets only text, booleans, numbers and null through.
  return { case: "value", value: node.value as boolean | number | null };
};

const writtenParameters = record({
  require: optional(table(parameter)),
  allow: optional(table(parameter)),
  ignore: optional(list(pattern)),
});

const externalParameters: Reader<NonNullable<PolicySpec["externalParameters"]>> = (source, node, parent) => {
  const written = writtenParameters(source, node, parent);
  if (written === undefined) return undefined;
  const { require = new Map(), allow = new Map(), ignore = [] } = written;
  return { require, allow, ignore };
};

const resolvedDependencies: Reader<DependencyRules> = record(
  { allow: optional(list(pattern)), require: optional(list(pattern)), pinned: optional(boolean) },
  ({ allow, require, pinned }) =>
    allow || require || pinned ? undefined : "`allow`, `require` or `pinned: true` is missing",
);

/** Trust bounds them from below, so that a policy can only ask for more. */
const thresholds: Reader<ThresholdRule> = record(
  {
    logEntries: optional(integer(1, MAX_THRESHOLD)),
    timestamps: optional(integer(1, MAX_THRESHOLD)),
    scts: optional(integer(1, MAX_THRESHOLD)),
  },
  (read) => (Object.keys(read).length > 0 ? undefined : "`logEntries`, `timestamps` or `scts` is missing"),
);

const versioned: Reader<VersionedTag> = (source, node, parent) => {
  const written = text(source, node, parent);
  if (written === undefined) return undefined;
  const tag = versionedTag(written);
  return tag ?? refuse(source, node, parent, "a version such as v1, v1.2 or v1.2.3 is expected");
};

const commit = textLike(
  /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/,
  "a commit's whole id, 40 or 64 hexadecimal digits,",
);

const source: Reader<SourceRule> = record(
  {
    repositories: optional(list(pattern)),
    refs: optional(list(pattern)),
    versionedTags: optional(list(versioned)),
    commits: optional(list(commit)),
  },
  (read) =>
    Object.keys(read).length > 0
      ? undefined
      : "`repositories`, `refs`, `versionedTags` or `commits` is missing",
);

const writtenSpec = record({
  mode: optional(oneOf(MODES)),
  artifacts: required(
    record({ names: optional(list(pattern)), digests: optional(list(digest)) }, ({ names, digests }) =>
      names || digests ? undefined : "`names` or `digests` is missing: say which artifacts",
    ),
  ),
  signers: required(list(signer)),
  predicateTypes: optional(list(pattern)),
  maxAge: optional(duration),
  thresholds: optional(thresholds),
  builders: optional(list(writtenBuilder)),
  buildTypes: optional(list(pattern)),
  source: optional(source),
  resolvedDependencies: optional(resolvedDependencies),
  externalParameters: optional(externalParameters),
  vsa: optional(summaryRule),
  rules: optional(rules),
  evidence: optional(requirements),
  joins: optional(writtenJoins),
  containment: optional(record({ signers: required(list(signer)), maxAge: optional(duration) })),
  approvals: optional(approvals),
  resourceUri: optional(resourceUriTemplate),
});

const spec: Reader<WrittenSpec> = (source, node, parent) => {
  const written = writtenSpec(source, node, parent);
  if (written === undefined) return undefined;
  const { mode = "enforce", rules = [], evidence = [], joins = [], ...rest } = written;
  const problem = summaryProblem(rest);
  if (problem !== undefined) return refuse(source, node, parent, problem);
  const compiled = compileJoins(source, joins, evidence);
  return compiled && { ...rest, mode, rules, evidence, joins: compiled };
};

// The kind chose this reader; what no reader is chosen by is refused here.
const written = documentOf(KINDS, spec);

/** Reads one document that uses these builders (`withBuilders`). What is wrong with it is reported, all of it. */
export function policyUsing(
  builders: ReadonlyMap<string, Builder | undefined>,
): Reader<WrittenDocument<PolicySpec>> {
  return (source, node, parent) => {
    const read = written(source, node, parent);
    const spec = read && withBuilders(source, node ?? parent, read.spec, builders);
    return read && spec && { ...read, spec };
  };
}
