import { isMap, type Node } from "yaml";
import { startOf, type YamlSource } from "../../yaml/source.ts";
import { suggestion } from "../../yaml/suggestion.ts";
import { type Builder, type BuilderSpec, ruleOf } from "../builder.ts";
import type { BuilderRule, PolicySpec } from "../policy.ts";
import { documentOf, type WrittenDocument } from "./document.ts";
import { countProblem } from "./evidence-schema.ts";
import { integer, list, optional, pattern, type Reader, record, required, text } from "./readers.ts";
import { rules, signer } from "./rule-schema.ts";

const level = integer(1, 4);

const written = documentOf(
  ["Builder"],
  record({
    ids: required(list(pattern)),
    level: required(level),
    signers: required(list(signer)),
    buildTypes: optional(list(pattern)),
    rules: optional(rules),
  }),
);

/** A Builder document as it is written; the members are described in docs/policy.md. */
export const builderDocument: Reader<WrittenDocument<BuilderSpec>> = (source, node, parent) => {
  const read = written(source, node, parent);
  return read && { ...read, spec: { ...read.spec, rules: read.spec.rules ?? [] } };
};

/** A builder that is written out in a policy, or one that waits until it is known which there are. */
export type WrittenBuilder =
  | { readonly case: "inline"; readonly rule: BuilderRule }
  | { readonly case: "use"; readonly name: string; readonly level?: number; readonly node: Node };

const inline = record({ id: required(pattern), level: required(level), signers: optional(list(signer)) });

const used = record({ use: required(text), level: optional(level) });

export const writtenBuilder: Reader<WrittenBuilder> = (source, node, parent) => {
  if (isMap(node) && node.has("use")) {
    const read = used(source, node, parent);
    return read && { case: "use", name: read.use, ...(read.level && { level: read.level }), node };
  }
  const read = inline(source, node, parent);
  if (read === undefined) return undefined;
  const { id, ...rest } = read;
  return { case: "inline", rule: { ids: [id], ...rest, rules: [] } };
};

/** A policy's sections while its builders may still be names. */
export type WrittenSpec = Omit<PolicySpec, "builders"> & { readonly builders?: readonly WrittenBuilder[] };

/**
 * Puts in what the builders' names stand for; undefined after the mistakes in them were reported.
 *
 * @param known all builders of the set; undefined for one that is wrong itself, which was reported there
 */
export function withBuilders(
  source: YamlSource,
  node: Node,
  { builders: writtenBuilders, ...spec }: WrittenSpec,
  known: ReadonlyMap<string, Builder | undefined>,
): PolicySpec | undefined {
  const builders = (writtenBuilders ?? []).map((one) => resolved(source, one, known));
  if (!builders.every((one) => one !== undefined)) return undefined;
  const { rules: own, joins, evidence } = spec;
  const problem = countProblem([own, joins, ...[...evidence, ...builders].map((one) => one.rules)]);
  if (problem !== undefined) return source.report(placeOf(node, "spec"), problem);
  return writtenBuilders === undefined ? spec : { ...spec, builders };
}

function resolved(
  source: YamlSource,
  one: WrittenBuilder,
  known: ReadonlyMap<string, Builder | undefined>,
): BuilderRule | undefined {
  if (one.case === "inline") return one.rule;
  const { name, level, node } = one;
  const builder = known.get(name);
  if (builder === undefined) {
    if (known.has(name)) return undefined;
    return source.report(
      placeOf(node, "use"),
      `no Builder is named \`${name}\`${suggestion(name, [...known.keys()])}`,
    );
  }
  if (level !== undefined && level > builder.spec.level) {
    const most = `\`${name}\` is trusted for level ${builder.spec.level}: a policy can only lower that`;
    return source.report(placeOf(node, "level"), most);
  }
  return ruleOf(builder, level);
}

function placeOf(node: Node, member: string): number {
  const value = isMap(node) ? node.get(member, true) : undefined;
  return startOf(value ?? node);
}
