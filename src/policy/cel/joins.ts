import type { ASTNode } from "@marcbachmann/cel-js";
import { compileWithin, ExpressionError, type RuleFailure, type Scope, scopeOf } from "../cel.ts";
import type { Facts } from "../facts.ts";
import { partsOf } from "./functions.ts";
import type { Budget } from "./meter.ts";
import { ATTESTATION, type Schema } from "./variables.ts";

/** The attestations that a join is asked about. */
export interface Joined {
  /** What the policy's own sections ask about. */
  readonly main: Facts;
  /** By the requirement's name: one, or a list where the requirement says how many. */
  readonly evidence: ReadonlyMap<string, Facts | readonly Facts[]>;
}

export interface Join {
  /** The requirements whose evidence it reads. */
  readonly reads: ReadonlySet<string>;
  /** True or false of these attestations, or why it has no answer. Evaluations that share a budget share its steps. */
  holds(joined: Joined, budget: Budget): boolean | RuleFailure;
}

/** Names that an expression can read as `evidence.NAME`. */
export const JOINABLE_NAME = /^[a-z][a-z0-9_]{0,30}$/;

/** Whether an expression can read `evidence.NAME`: `in` is an operator, and of `constructor` the library has its own idea. */
export function isJoinable(name: string): boolean {
  if (name === "constructor") return false;
  try {
    compileJoin(joinScope([{ name, isList: false }]), `has(evidence.${name})`);
    return true;
  } catch (error) {
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}

/** What joins of a policy with these requirements may name: what rules may, of the main attestation, and `evidence`. */
export function joinScope(requirements: readonly { name: string; isList: boolean }[]): Scope {
  const evidence: Schema = Object.fromEntries(
    requirements.map(({ name, isList }) => [name, isList ? "list<Attestation>" : ATTESTATION]),
  );
  return scopeOf({ ...ATTESTATION, evidence });
}

/** Throws `ExpressionError`. */
export function compileJoin(scope: Scope, expression: string): Join {
  const compiled = compileWithin(scope, expression);
  return {
    reads: namesReadBy(scope, compiled.ast),
    holds: ({ main, evidence }, budget) => compiled.answer({ ...main, evidence: objectOf(evidence) }, budget),
  };
}

/** All of them where the expression takes `evidence` as a whole. */
function namesReadBy({ names }: Scope, ast: ASTNode): ReadonlySet<string> {
  const parts = [...partsOf(ast)];
  const selected = parts.flatMap((part) =>
    part.op === "." && isEvidence(part.args[0]) ? [part.args[1]] : [],
  );
  const isWhole = parts.filter(isEvidence).length > selected.length;
  return new Set(isWhole ? Object.keys(names.evidence ?? {}) : selected);
}

function isEvidence(node: ASTNode): boolean {
  return node.op === "id" && node.args === "evidence";
}

/** Only what rules may read: the elements of lists are handed to the library as they are. */
function objectOf(evidence: Joined["evidence"]): object {
  const object: Record<string, object> = Object.create(null);
  for (const [name, found] of evidence) {
    object[name] = "attestation" in found ? readable(found) : found.map(readable);
  }
  return object;
}

function readable({
  artifact,
  subjects,
  signer,
  source,
  provenance,
  predicateType,
  predicate,
}: Facts): object {
  return {
    artifact,
    subjects,
    signer,
    source,
    ...(provenance && { provenance }),
    ...(predicateType !== undefined && { predicateType }),
    ...(predicate && { predicate }),
  };
}
