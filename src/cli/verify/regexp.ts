import { MAX_NAME } from "../../policy/glob.ts";
import { emit, MAX_PROGRAM, type Program } from "./regexp-program.ts";
import { parseRegexp, RegexpError } from "./regexp-syntax.ts";

const MAX_EXPRESSION = 1024;

/**
 * A regular expression that must match the *whole* name, in the common part of RE2 and ECMAScript: literals, `.`, classes,
 * groups, `|`, `*`, `+`, `?`, `{n,m}`, `\d`, `\w`, `^` and `$`, and `(?i)` at the start. Nothing backtracks: a match takes time
 * linear in the name for a given expression, so that no signer's name makes it hang (Russ Cox, "Regular Expression Matching
 * Can Be Simple And Fast", the Pike VM), and a name longer than `MAX_NAME` is nobody's. Throws `RegexpError`.
 */
export function compileRegexp(text: string): { readonly text: string; matches(name: string): boolean } {
  if (text === "") throw new RegexpError("an empty expression matches nothing that can be named");
  if (text.length > MAX_EXPRESSION) throw new RegexpError(`longer than ${MAX_EXPRESSION} characters`);
  const program: Program = [];
  emit(parseRegexp(text), program);
  program.push({ op: "done" });
  if (program.length > MAX_PROGRAM) throw new RegexpError("its repetitions make it too large");
  return { text, matches: (name) => name.length <= MAX_NAME && run(program, name) };
}

/** Runs over all states at once: at most as many steps for each unit of the name as the program has instructions. */
function run(program: Program, name: string): boolean {
  let states = reach(program, [0], 0, name.length);
  for (let at = 0; at < name.length && states.length > 0; at += 1) {
    const unit = name.charAt(at);
    const next = states.flatMap((state) => {
      const instruction = program[state];
      return instruction?.op === "one" && instruction.matches(unit) ? [state + 1] : [];
    });
    states = reach(program, next, at + 1, name.length);
  }
  return states.some((state) => program[state]?.op === "done");
}

/** These states and those behind them that need no character. */
function reach(program: Program, from: readonly number[], at: number, end: number): number[] {
  const seen = new Set(from);
  // A set is walked to the end of what is added on the way.
  for (const state of seen) {
    const instruction = program[state];
    if (instruction?.op === "go") for (const to of instruction.to) seen.add(state + to);
    if (instruction?.op === "edge" && at === (instruction.at === "start" ? 0 : end)) seen.add(state + 1);
  }
  return [...seen];
}
