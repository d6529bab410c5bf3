import { isMap, isScalar, isSeq } from "yaml";
import { compileExpression, ExpressionError, type Predicate } from "./cel.ts";
import {
  API_VERSION,
  type BuilderRule,
  KINDS,
  type ParameterPattern,
  type PolicySpec,
  type Rule,
  type SignerRule,
} from "./policy.ts";
import {
  digest,
  duration,
  integer,
  isText,
  list,
  name,
  oneOf,
  optional,
  pattern,
  type Reader,
  record,
  refuse,
  required,
  table,
  text,
} from "./readers.ts";
import { resourceUriTemplate } from "./resource-uri.ts";
import { offsetWithin } from "./yaml-source.ts";

/** A policy document as it is written; the members are described in docs/policy.md. */
export interface PolicyDocument {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly description?: string };
  readonly spec: PolicySpec;
}

const writtenSigner = record(
  { issuer: optional(pattern), identity: optional(pattern), key: optional(text) },
  ({ issuer, identity, key }) => {
    if (key !== undefined && issuer === undefined && identity === undefined) return undefined;
    if (key === undefined && issuer !== undefined && identity !== undefined) return undefined;
    return "a signer is either `issuer` with `identity`, or `key`";
  },
);

const signer: Reader<SignerRule> = (source, node, parent) => {
  const written = writtenSigner(source, node, parent);
  if (written === undefined) return undefined;
  const { issuer, identity, key } = written;
  if (key !== undefined) return { case: "key", name: key };
  return issuer && identity && { case: "certificate", issuer, identity };
};

const builder: Reader<BuilderRule> = record({
  id: required(pattern),
  level: required(integer(1, 4)),
  signers: optional(list(signer)),
});

const expression: Reader<{ expression: string; holds: Predicate }> = (source, node, parent) => {
  if (!isText(node)) return refuse(source, node, parent, "a CEL expression is expected");
  try {
    return { expression: node.value, holds: compileExpression(node.value) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return source.report(offsetWithin(source, node, error.offset), `bad CEL: ${error.message}`);
  }
};

const writtenRule = record({ name: required(name), cel: required(expression), message: optional(text) });

const rule: Reader<Rule> = (source, node, parent) => {
  const written = writtenRule(source, node, parent);
  if (written === undefined) return undefined;
  const { cel, ...rest } = written;
  return { ...rest, ...cel };
};

const rules: Reader<readonly Rule[]> = (source, node, parent) => {
  const read = list(rule, 64)(source, node, parent);
  const repeated = read?.find((one, index) => read.findIndex((other) => other.name === one.name) < index);
  if (repeated !== undefined) return refuse(source, node, parent, `two rules are named \`${repeated.name}\``);
  return read;
};

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

const spec: Reader<PolicySpec> = (source, node, parent) => {
  const written = writtenSpec(source, node, parent);
  return written && { ...written, rules: written.rules ?? [] };
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

const writtenSpec = record({
  artifacts: required(
    record({ names: optional(list(pattern)), digests: optional(list(digest)) }, ({ names, digests }) =>
      names || digests ? undefined : "`names` or `digests` is missing: say which artifacts",
    ),
  ),
  signers: required(list(signer)),
  predicateTypes: optional(list(pattern)),
  maxAge: optional(duration),
  builders: optional(list(builder)),
  buildTypes: optional(list(pattern)),
  source: optional(
    record({ repositories: optional(list(pattern)), refs: optional(list(pattern)) }, (read) =>
      read.repositories || read.refs ? undefined : "`repositories` or `refs` is missing",
    ),
  ),
  externalParameters: optional(externalParameters),
  rules: optional(rules),
  resourceUri: optional(resourceUriTemplate),
});

/** Reads one document. What is wrong with it is reported, all of it. */
export const policyDocument: Reader<PolicyDocument> = record({
  apiVersion: required(oneOf([API_VERSION])),
  // The kind chose this reader; what no reader is chosen by is refused here.
  kind: required(oneOf(KINDS)),
  metadata: required(record({ name: required(name), description: optional(text) })),
  spec: required(spec),
});
