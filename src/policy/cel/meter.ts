import type { ASTNode, Environment, ParseResult } from "@marcbachmann/cel-js";
import { type OperandCost, operandCost } from "./functions.ts";

/** What a rule may spend on one attestation, or a join on all; in practice about a tenth of a second. */
const BUDGET = 1_000_000;
/** What all rules and joins may spend together where a policy is evaluated. */
const WHOLE = 8 * BUDGET;
/** Raising and catching an error takes about as long as this many steps. */
const STEPS_AN_ERROR = 20;

/** The part of the library's evaluator that it hands to macros. */
interface Evaluator {
  run(node: ASTNode, context: unknown): unknown;
}
interface Evaluable {
  evaluate(evaluator: Evaluator, node: ASTNode, context: unknown): unknown;
}

/** What is left to spend. Evaluations that share one share its steps. */
export interface Budget {
  left: number;
  /** What it is a part of, and spends as well. */
  readonly of?: Budget;
}

/** For one evaluation of a policy: many rules, or much evidence, must not add up to what none may take alone. */
export function wholeBudget(): Budget {
  return { left: WHOLE };
}

/** For a rule on one attestation, or a join. */
export function budgetWithin(whole: Budget): Budget {
  return { left: BUDGET, of: whole };
}

/** Evaluates an expression; throws `BudgetExceeded` once the budget is spent. */
export type Evaluate = (expression: ParseResult, context: object, budget: Budget) => unknown;

export class BudgetExceeded extends Error {
  override readonly name = "BudgetExceeded";
  constructor(budget: Budget) {
    super(
      budget.of === undefined
        ? `rules and joins take more than ${WHOLE} steps together`
        : `takes more than ${BUDGET} steps on this evidence`,
    );
  }
}

/**
 * Bounds what expressions of an environment cost, in steps and not in seconds: a verdict must not depend on the
 * machine, so that an auditor who evaluates it again gets the same.
 *
 * The library has no such limit. It evaluates every part of an expression through `run` of one evaluator, which
 * is made to count here.
 */
export function meter(environment: Environment): Evaluate {
  const evaluator = evaluatorOf(environment);
  let purse: Budget = { left: 0 };
  let costOfOperand: OperandCost | undefined;

  const spend = (steps: number) => {
    for (let budget: Budget | undefined = purse; budget !== undefined; budget = budget.of) {
      budget.left -= steps;
      if (budget.left < 0) throw new BudgetExceeded(budget);
    }
  };

  evaluator.run = (node, context) => {
    const cost = costOfOperand;
    spend(1);
    costOfOperand = operandCost(node);
    try {
      const value = (node as unknown as Evaluable).evaluate(evaluator, node, context);
      if (cost !== undefined) spend(cost(value, purse.left));
      return value;
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) spend(STEPS_AN_ERROR);
      throw error;
    } finally {
      costOfOperand = cost;
    }
  };

  return (expression, context, budget) => {
    purse = budget;
    // The outermost part is the only one that is not run by `run`.
    costOfOperand = operandCost(expression.ast);
    // `exists` and `||` swallow errors; the next part that they run spends again and throws again.
    return expression(context);
  };
}

/** The environment keeps its evaluator private, but shows it to macros when they are evaluated. */
function evaluatorOf(environment: Environment): Evaluator {
  const seen: Evaluator[] = [];
  environment.registerFunction("showEvaluator(ast): bool", () => ({
    typeCheck: (checker: { getType(name: string): unknown }) => checker.getType("bool"),
    evaluate: (evaluator: Evaluator) => seen.push(evaluator) > 0,
  }));
  environment.evaluate("showEvaluator(true)");
  const [evaluator] = seen;
  if (evaluator === undefined) throw new TypeError("the CEL library does not evaluate macros as it did");
  return evaluator;
}
