import type { Node } from "yaml";
import { VSA_PREDICATE_TYPE } from "../../in-toto-attestation/index.ts";
import type { YamlSource } from "../../yaml/source.ts";
import { compileJoin, isJoinable, JOINABLE_NAME, joinScope } from "../cel/joins.ts";
import type { JoinRule, Requirement, SummaryRule } from "../policy.ts";
import {
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
  text,
} from "./readers.ts";
import { compiled, MAX_RULES, named, rules, signer } from "./rule-schema.ts";

const MAX_REQUIREMENTS = 16;
/** How many signers a requirement can ask for, and how many a join sees. */
const MAX_SIGNERS = 16;

/**
 * What SLSA v1.2 names by its own prefix: the levels of its tracks, its verified properties, and the controls that SLSA's
 * own source tool writes. Other levels are their verifier's.
 */
const SLSA_LEVEL =
  /^SLSA_(?:(?:BUILD|SOURCE)_LEVEL_[0-4]|SOURCE_TWO_PARTY_REVIEWED|BUILD_REPRODUCED|SOURCE_(?:SCS|ORG)_[A-Z_]+)$/;

const level: Reader<string> = (source, node, parent) => {
  const read = text(source, node, parent);
  if (read === undefined || !read.startsWith("SLSA_") || SLSA_LEVEL.test(read)) return read;
  const known = "SLSA_BUILD_LEVEL_0 to 4, SLSA_SOURCE_LEVEL_0 to 4 and SLSA_SOURCE_TWO_PARTY_REVIEWED";
  return refuse(source, node, parent, `\`${read}\` is no level of SLSA: ${known} are`);
};

export const summaryRule: Reader<SummaryRule> = record({
  verifierIds: required(list(pattern)),
  resourceUris: required(list(pattern)),
  levels: optional(list(level, MAX_SIGNERS)),
  sourceRefs: optional(list(pattern)),
});

const joinable: Reader<string> = (source, node, parent) =>
  isText(node) && JOINABLE_NAME.test(node.value) && isJoinable(node.value)
    ? node.value
    : refuse(source, node, parent, "a name that rules can read, of a-z, 0-9 and `_`, is expected");

const written = record(
  {
    name: required(joinable),
    about: optional(oneOf(["artifact", "source"] as const)),
    predicateTypes: required(list(pattern)),
    signers: required(list(signer)),
    maxAge: optional(duration),
    vsa: optional(summaryRule),
    rules: optional(rules),
    require: optional(record({ atLeast: required(integer(1, MAX_SIGNERS)) })),
  },
  (read) => summaryProblem(read),
);

const requirement: Reader<Requirement> = (source, node, parent) => {
  const read = written(source, node, parent);
  return read && { ...read, rules: read.rules ?? [] };
};

export const requirements = named(requirement, MAX_REQUIREMENTS, "requirements");

/** Why a section on summaries could never hold. */
export function summaryProblem({
  vsa,
  about,
  predicateTypes,
}: Pick<Requirement, "vsa" | "about"> & Partial<Pick<Requirement, "predicateTypes">>): string | undefined {
  if (vsa?.sourceRefs !== undefined && about !== "source") {
    return "`sourceRefs` asks about a source revision: it needs `about: source`";
  }
  if (vsa === undefined || predicateTypes?.some((type) => type.matches(VSA_PREDICATE_TYPE))) return undefined;
  return `\`vsa\` asks about ${VSA_PREDICATE_TYPE}, which \`predicateTypes\` must name`;
}

export function countProblem(lists: readonly (readonly unknown[])[]): string | undefined {
  const count = lists.reduce((sum, { length }) => sum + length, 0);
  return count > MAX_RULES ? `${count} rules and joins; a policy has at most ${MAX_RULES}` : undefined;
}

/** A join whose expression waits until it is known which requirements there are. */
interface WrittenJoin {
  readonly name: string;
  readonly cel: { readonly node: Node | null; readonly parent: Node };
  readonly message?: string;
}

export const writtenJoins: Reader<readonly WrittenJoin[]> = named(
  record({
    name: required(name),
    cel: required((_source, node, parent) => ({ node, parent })),
    message: optional(text),
  }),
  MAX_RULES,
  "joins",
);

/** Undefined after the mistakes in their expressions were reported. */
export function compileJoins(
  source: YamlSource,
  joins: readonly WrittenJoin[],
  evidence: readonly Requirement[],
): readonly JoinRule[] | undefined {
  if (joins.length === 0) return [];
  const scope = joinScope(evidence.map((one) => ({ name: one.name, isList: one.require !== undefined })));
  const read = joins.map(({ cel, ...rest }) =>
    compiled(source, cel.node, cel.parent, (expression) => ({
      ...rest,
      expression,
      ...compileJoin(scope, expression),
    })),
  );
  return read.every((join) => join !== undefined) ? read : undefined;
}
