import type { Provenance } from "../../in-toto-attestation/index.ts";
import type { Budget } from "../cel/meter.ts";
import type { Facts } from "../facts.ts";
import type { BuilderRule, PolicySpec } from "../policy.ts";
import type { Check } from "../types.ts";
import { alternatives, answerText, shown, signerText } from "./check-text.ts";
import { isSignedBy } from "./signed-by.ts";

/** What a policy's builders say of provenance. */
export interface JudgedBuilder {
  /** The highest level of those that are believed; 0 without one. */
  readonly level: number;
  readonly checks: readonly Check[];
}

/**
 * A builder id is a claim: it counts only from a signer that the policy maps to that builder, in a build of a type that
 * is the builder's own, where the builder's rules hold. Rules run only over what a signer of the policy signed: a builder's
 * own signers may be all the world.
 */
export function judgeBuilders(
  spec: PolicySpec,
  facts: Facts,
  isTrusted: boolean,
  whole: Budget,
): JudgedBuilder {
  const { builders } = spec;
  const { provenance } = facts;
  if (builders === undefined || provenance === undefined) return { level: 0, checks: [] };
  const doubts = builders.map((builder) => ({
    builder,
    doubt: doubtOf(builder, spec, facts, provenance, isTrusted, whole),
  }));
  const believed = doubts.flatMap(({ builder, doubt }) => (doubt === undefined ? [builder.level] : []));
  // That it is another builder is what the id says by itself.
  const [nearest = ""] = doubts.flatMap(({ doubt }) => doubt || []);
  const passed = believed.length > 0;
  const check = {
    check: "builder",
    passed,
    expected: builders.map(({ use, ids }) => use ?? alternatives(ids)).join(" or "),
    actual: `${shown(provenance.builderId)}${passed ? "" : nearest}`,
  };
  return { level: Math.max(0, ...believed), checks: [check] };
}

/** Why the builder is not believed to have built this; empty where it is another builder. */
function doubtOf(
  { ids, signers, buildTypes, rules }: BuilderRule,
  spec: PolicySpec,
  facts: Facts,
  { builderId, buildType }: Provenance,
  isTrusted: boolean,
  whole: Budget,
): string | undefined {
  if (!ids.some((id) => id.matches(builderId))) return "";
  if (!(signers ?? spec.signers).some((signer) => isSignedBy(signer, facts))) {
    return ` as ${signerText(facts)} has it, who may not speak for this builder`;
  }
  if (buildTypes !== undefined && !buildTypes.some((type) => type.matches(buildType))) {
    return `, whose builds are not of the type ${shown(buildType)}`;
  }
  if (rules.length > 0 && !isTrusted) return ", whose rules are not evaluated: the signer is not trusted";
  for (const { name, message, expression, holds } of rules) {
    const answer = holds(facts, whole);
    if (answer !== true)
      return `, of which \`${name}\` must hold (${message ?? expression}): ${answerText(answer)}`;
  }
  return undefined;
}
