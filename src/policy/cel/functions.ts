import type { ASTNode } from "@marcbachmann/cel-js";

/** What it costs in steps to work on a value as an operand; it may stop counting beyond `most`. */
export type OperandCost = (value: unknown, most: number) => number;

/** Text that is compared, searched or copied costs one step for this many characters. */
const CHARACTERS_A_STEP = 64;
/** Longest text that is read as a time: the library's reader of durations is quadratic. */
const MAX_TIME_TEXT = 64;

/** Reads the operand to its last element. */
const whole: OperandCost = (value, most) => {
  let cost = 0;
  const pending = [value];
  while (pending.length > 0 && cost + pending.length <= most) {
    const next = pending.pop();
    cost += 1;
    if (typeof next === "string") cost += next.length / CHARACTERS_A_STEP;
    if (typeof next !== "object" || next === null) continue;
    for (const element of elements(next)) pending.push(element);
  }
  return Math.ceil(cost) + pending.length;
};

/** Looks at an object's keys, at a list's length, at all of a text. */
const entries: OperandCost = (value) => {
  if (typeof value === "string") return Math.ceil(value.length / CHARACTERS_A_STEP);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return 0;
  return Object.keys(value).length;
};

/** Joins lists and texts. */
const copied: OperandCost = (value, most) => (Array.isArray(value) ? value.length : entries(value, most));

/** Looks an element up: in an object at once, in a list by comparing with all. */
const searched: OperandCost = (value, most) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? 0 : whole(value, most);

/** Refuses what is too long to be a time. */
const time: OperandCost = (value) =>
  typeof value === "string" && value.length > MAX_TIME_TEXT ? Number.POSITIVE_INFINITY : 1;

const none: OperandCost = () => 0;

const OPERATORS: ReadonlyMap<string, OperandCost> = new Map([
  ["==", whole],
  ["!=", whole],
  ["<", whole],
  ["<=", whole],
  [">", whole],
  [">=", whole],
  ["in", searched],
  ["+", copied],
]);

/**
 * The functions and macros that a rule may call. Others of the library are refused at load: `matches` takes
 * regular expressions that backtrack, methods of times that read the machine's time zone are not the same
 * everywhere, and `split` makes lists as long as a text.
 */
const FUNCTIONS: ReadonlyMap<string, OperandCost> = new Map([
  ["has", none],
  ["bind", none],
  ["all", entries],
  ["exists", entries],
  ["exists_one", entries],
  ["filter", entries],
  ["map", entries],
  ["size", entries],
  ["contains", entries],
  ["startsWith", entries],
  ["endsWith", entries],
  ["indexOf", entries],
  ["lastIndexOf", entries],
  ["substring", entries],
  ["lowerAscii", entries],
  ["upperAscii", entries],
  ["trim", entries],
  ["dyn", none],
  ["type", none],
  ["bool", entries],
  ["int", entries],
  ["double", entries],
  ["string", entries],
  ["timestamp", time],
  ["duration", time],
]);

export const FUNCTION_NAMES: readonly string[] = [...FUNCTIONS.keys()];

/** How the operands of a part of an expression are charged for; undefined where they are only passed on. */
export function operandCost(node: ASTNode): OperandCost | undefined {
  return node.op === "call" || node.op === "rcall" ? FUNCTIONS.get(node.args[0]) : OPERATORS.get(node.op);
}

/** The parts of an expression, each before the parts in it. */
export function* partsOf(node: ASTNode): Generator<ASTNode> {
  yield node;
  for (const part of operandsOf(node.args)) yield* partsOf(part);
}

function operandsOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(operandsOf);
  return typeof args === "object" && args !== null && "op" in args ? [args as ASTNode] : [];
}

function elements(value: object): unknown[] {
  if (Array.isArray(value)) return value;
  return value instanceof Map ? [...value.values()] : Object.values(value);
}
