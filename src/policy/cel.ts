import {
  type ASTNode,
  TypeError as CelTypeError,
  Environment,
  EvaluationError,
  ParseError,
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
const withinBudget = meter(environment);

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
  return (facts) => answer(() => parsed(facts));
}

function parse(expression: string) {
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
    throw new ExpressionError(
      `\`${name}\` cannot be called; known are ${FUNCTION_NAMES.join(", ")}`,
      part.pos,
    );
  }
  const argument = part.op === "call" && name === "has" ? part.args[1][0] : undefined;
  if (argument?.op !== "." || argument.args[0].op !== "id") return;
  const [{ args: variable }, field] = argument.args;
  const known = Object.hasOwn(VARIABLES, variable)
    ? VARIABLES[variable as keyof typeof VARIABLES]
    : undefined;
  if (known !== undefined && !Object.hasOwn(known, field)) {
    throw new ExpressionError(`No such key: ${field}`, argument.end - field.length);
  }
}

function answer(evaluation: () => unknown): boolean | RuleFailure {
  try {
    const value = withinBudget(evaluation);
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
