import {
  type ASTNode,
  TypeError as CelTypeError,
  Environment,
  EvaluationError,
  ParseError,
  type ParseResult,
} from "@marcbachmann/cel-js";
import { suggestion } from "../yaml/suggestion.ts";
import { FUNCTION_NAMES, partsOf } from "./cel/functions.ts";
import { type Budget, BudgetExceeded, budgetWithin, type Evaluate, meter } from "./cel/meter.ts";
import { ATTESTATION, type Schema } from "./cel/variables.ts";
import type { Facts } from "./facts.ts";

const MAX_EXPRESSION = 4096;
const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 32,
  maxListElements: 256,
  maxMapEntries: 64,
  maxCallArguments: 8,
};
/** The type of an attestation among several. */
const LISTED = "Attestation";

/** A compiled expression: true or false of an attestation, or why it has no answer. It spends of the evaluation's budget. */
export type Predicate = (facts: Facts, whole: Budget) => boolean | RuleFailure;

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

/** The names that an expression may use, and what evaluates it. */
export interface Scope {
  readonly names: Schema;
  readonly environment: Environment;
  readonly evaluate: Evaluate;
}

/** An expression that was found to be a boolean in its scope. */
export interface Compiled {
  readonly ast: ASTNode;
  /** True or false of these values of the scope's names; spends what it takes. */
  answer(context: object, budget: Budget): boolean | RuleFailure;
}

/** `list<Attestation>` is a type of the names: a list whose elements are what `ATTESTATION` says. */
export function scopeOf(names: Schema): Scope {
  const environment = new Environment({ limits: LIMITS, homogeneousAggregateLiterals: false });
  environment.registerType({ name: LISTED, schema: ATTESTATION });
  for (const [name, type] of Object.entries(names)) {
    if (typeof type === "string") environment.registerVariable(name, type);
    else environment.registerVariable({ name, schema: type });
  }
  return { names, environment, evaluate: meter(environment) };
}

const RULES = scopeOf(ATTESTATION);

/** Compiles a rule on one attestation. Throws `ExpressionError`. */
export function compileExpression(expression: string): Predicate {
  const compiled = compileWithin(RULES, expression);
  return (facts, whole) => compiled.answer(facts, budgetWithin(whole));
}

/** Compiles an expression that must be a boolean. Throws `ExpressionError`. */
export function compileWithin(scope: Scope, expression: string): Compiled {
  if (expression.length > MAX_EXPRESSION) {
    throw new ExpressionError(`longer than ${MAX_EXPRESSION} characters`, MAX_EXPRESSION);
  }
  const parsed = parse(scope, expression);
  for (const part of partsOf(parsed.ast)) refuseUnknownParts(scope, part);
  const { valid, type, error } = parsed.check();
  if (!valid) throw mistakeIn(scope, parsed.ast, error);
  if (type !== "bool") throw new ExpressionError(`a rule must be true or false; this is ${type}`, 0);
  for (const part of partsOf(parsed.ast)) refusePlaces(part);
  return { ast: parsed.ast, answer: (context, budget) => answer(scope, parsed, context, budget) };
}

function parse({ environment }: Scope, expression: string): ParseResult {
  try {
    return environment.parse(expression);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new ExpressionError(error.summary, error.range?.start ?? 0);
  }
}

/** What the library's checker lets through: functions that are banned, and misspelt fields within `has()`. */
function refuseUnknownParts({ names }: Scope, part: ASTNode): void {
  if (part.op !== "call" && part.op !== "rcall") return;
  const [name] = part.args;
  if (!FUNCTION_NAMES.includes(name)) {
    const place = part.op === "call" ? part.start : part.input.indexOf(name, part.args[1].end);
    throw new ExpressionError(`\`${name}\` cannot be called; known are ${FUNCTION_NAMES.join(", ")}`, place);
  }
  if (part.op !== "call" || name !== "has" || part.args[1][0] === undefined) return;
  for (const selection of partsOf(part.args[1][0])) {
    const mistake = misspeltField(names, selection);
    if (mistake !== undefined) throw mistake;
  }
}

/** What the library's checker found; of a misspelt name of ours with the one that was meant. */
function mistakeIn(
  { names }: Scope,
  ast: ASTNode,
  error: CelTypeError | ParseError | undefined,
): ExpressionError {
  const offset = error?.range?.start ?? 0;
  const found = summaryOf(error);
  for (const part of partsOf(ast)) {
    if (found.startsWith("Unknown variable") && part.op === "id" && part.start === offset) {
      return misspelt("name", part.args, names, offset);
    }
    const field = found.startsWith("No such key") ? misspeltField(names, part) : undefined;
    if (field?.offset === offset) return field;
  }
  return new ExpressionError(found, offset);
}

/** Where this part selects a field that what it selects from is known not to have. */
function misspeltField(names: Schema, part: ASTNode): ExpressionError | undefined {
  if (part.op !== ".") return undefined;
  const [selected, field] = part.args;
  const fields = schemaOf(names, selected);
  if (fields === undefined || Object.hasOwn(fields, field)) return undefined;
  return misspelt("key", field, fields, part.end - field.length);
}

function misspelt(what: "name" | "key", word: string, known: Schema, offset: number): ExpressionError {
  return new ExpressionError(`unknown ${what} \`${word}\`${suggestion(word, Object.keys(known))}`, offset);
}

/** The fields that a selection is known to have; undefined where they are the evidence's. */
function schemaOf(names: Schema, node: ASTNode): Schema | undefined {
  if (node.op === "id") return fieldOf(names, node.args);
  if (node.op !== ".") return undefined;
  const [selected, field] = node.args;
  const fields = schemaOf(names, selected);
  return fields && fieldOf(fields, field);
}

function fieldOf(fields: Schema, name: string): Schema | undefined {
  const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof type === "object" ? type : undefined;
}

/** The library checks `list[0]` of such a list at load, but can never evaluate it. */
function refusePlaces(part: ASTNode): void {
  if (part.op !== "[]") return;
  const [list] = part.args;
  if (String(Reflect.get(list, "checkedType")) !== `list<${LISTED}>`) return;
  throw new ExpressionError(
    "a list of evidence is asked with `exists`, `all` or `filter`, not by place",
    list.end,
  );
}

function answer(
  { evaluate }: Scope,
  expression: ParseResult,
  context: object,
  budget: Budget,
): boolean | RuleFailure {
  try {
    const value = evaluate(expression, context, budget);
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
