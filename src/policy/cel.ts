import {
  type ASTNode,
  TypeError as CelTypeError,
  Environment,
  EvaluationError,
  ParseError,
  type ParseResult,
} from "@marcbachmann/cel-js";
import type { CertificateClaims } from "../verify/verified-attestation.ts";
import { FUNCTION_NAMES, partsOf } from "./cel-functions.ts";
import { BudgetExceeded, meter } from "./cel-meter.ts";
import type { Facts } from "./facts.ts";

const MAX_EXPRESSION = 4096;
const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 32,
  maxListElements: 256,
  maxMapEntries: 64,
  maxCallArguments: 8,
};

/** A compiled expression: true or false of an attestation, or why it has no answer. */
export type Predicate = (facts: Facts) => boolean | RuleFailure;

/** Why a rule has no answer on this evidence: a failed check. */
export interface RuleFailure {
  readonly failure: string;
}

/** A mistake in an expression; `offset` counts UTF-16 units from its start. */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** What rules see, with the types that they are checked against at load. Unknown facts are absent, not empty. */
const VARIABLES = {
  artifact: { digest: "string", name: "string" },
  signer: {
    issuer: "string",
    identity: "string",
    key: "string",
    claims: {
      buildSignerUri: "string",
      buildSignerDigest: "string",
      runnerEnvironment: "string",
      sourceRepositoryUri: "string",
      sourceRepositoryDigest: "string",
      sourceRepositoryRef: "string",
      sourceRepositoryIdentifier: "string",
      sourceRepositoryOwnerUri: "string",
      sourceRepositoryOwnerIdentifier: "string",
      buildConfigUri: "string",
      buildConfigDigest: "string",
      buildTrigger: "string",
      runInvocationUri: "string",
      sourceRepositoryVisibility: "string",
    } satisfies Record<keyof CertificateClaims, "string">,
  },
  source: { repository: "string", ref: "string", commit: "string" },
  provenance: {
    version: "string",
    builderId: "string",
    buildType: "string",
    externalParameters: "map<string, dyn>",
    internalParameters: "map<string, dyn>",
    resolvedDependencies: "list<dyn>",
    invocationId: "string",
    startedOn: "string",
    finishedOn: "string",
  },
} as const;

const environment = new Environment({ limits: LIMITS, homogeneousAggregateLiterals: false });
for (const [name, schema] of Object.entries(VARIABLES)) environment.registerVariable({ name, schema });
environment.registerVariable("predicateType", "string");
environment.registerVariable("predicate", "map<string, dyn>");
const evaluateWithinBudget = meter(environment);

/** Compiles an expression that must be a boolean. Throws `ExpressionError`. */
export function compileExpression(expression: string): Predicate {
  if (expression.length > MAX_EXPRESSION) {
    throw new ExpressionError(`longer than ${MAX_EXPRESSION} characters`, MAX_EXPRESSION);
  }
  const parsed = parse(expression);
  for (const part of partsOf(parsed.ast)) refuseUnknownParts(part);
  const { valid, type, error } = parsed.check();
  if (!valid) throw new ExpressionError(summaryOf(error), error?.range?.start ?? 0);
  if (type !== "bool") throw new ExpressionError(`a rule must be true or false; this is ${type}`, 0);
  return (facts) => answer(parsed, facts);
}

function parse(expression: string): ParseResult {
  try {
    return environment.parse(expression);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new ExpressionError(error.summary, error.range?.start ?? 0);
  }
}

/** What the library's checker lets through: functions that are banned, and misspelt fields within `has()`. */
function refuseUnknownParts(part: ASTNode): void {
  if (part.op !== "call" && part.op !== "rcall") return;
  const [name] = part.args;
  if (!FUNCTION_NAMES.includes(name)) {
    const place = part.op === "call" ? part.start : part.input.indexOf(name, part.args[1].end);
    throw new ExpressionError(`\`${name}\` cannot be called; known are ${FUNCTION_NAMES.join(", ")}`, place);
  }
  if (part.op === "call" && name === "has" && part.args[1][0] !== undefined) schemaOf(part.args[1][0]);
}

/** The fields that a selection is known to have; undefined where they are the evidence's. */
function schemaOf(node: ASTNode): object | undefined {
  if (node.op === "id")
    return Object.hasOwn(VARIABLES, node.args) ? Reflect.get(VARIABLES, node.args) : undefined;
  if (node.op !== ".") return undefined;
  const [selected, field] = node.args;
  const fields = schemaOf(selected);
  if (fields === undefined) return undefined;
  if (!Object.hasOwn(fields, field)) {
    throw new ExpressionError(`No such key: ${field}`, node.end - field.length);
  }
  const type: unknown = Reflect.get(fields, field);
  return typeof type === "object" && type !== null ? type : undefined;
}

function answer(expression: ParseResult, facts: Facts): boolean | RuleFailure {
  try {
    const value = evaluateWithinBudget(expression, facts);
    return typeof value === "boolean" ? value : { failure: "neither true nor false" };
  } catch (error) {
    // Whatever the library throws on hostile data is an answer that the rule does not have.
    return { failure: summaryOf(error) };
  }
}

function summaryOf(error: unknown): string {
  if (error instanceof EvaluationError || error instanceof CelTypeError || error instanceof ParseError) {
    return error.summary;
  }
  return error instanceof BudgetExceeded ? error.message : "cannot be evaluated on this evidence";
}
