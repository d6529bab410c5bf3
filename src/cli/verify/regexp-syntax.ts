/** Why a text is no regular expression that is taken here. */
export class RegexpError extends Error {
  override readonly name = "RegexpError";
}

export type RegexpNode =
  | { readonly case: "one"; matches(unit: string): boolean }
  | { readonly case: "edge"; readonly at: "start" | "end" }
  | { readonly case: "all"; readonly parts: readonly RegexpNode[] }
  | { readonly case: "any"; readonly options: readonly RegexpNode[] }
  /** `most` undefined: without end. */
  | { readonly case: "times"; readonly node: RegexpNode; readonly least: number; readonly most?: number };

const MAX_DEPTH = 32;
const MAX_TIMES = 1000;
const IGNORE_CASE = "(?i)";

/** A class in brackets: plain characters, `\d`, `\w`, and escaped punctuation. `[^]` is any character to ECMAScript, and goes on in RE2. */
const CLASS = /\[(?!\^\])\^?(?:[^\\[\]]|\\[dDwW]|\\[^A-Za-z0-9])+\]/y;
const ESCAPE = /\\(?:[dDwW]|[^A-Za-z0-9])/y;
const TIMES = /\{(\d{1,4})(,(\d{0,4}))?\}/y;
const GROUP = /\((?:\?:)?/y;
/** What a class's range must not end in: `[a-\d]`. */
const RANGE_OF_CLASSES = /[^[]-\\[dDwW]|\\[dDwW]-[^\]]/;

/** Throws `RegexpError` for whatever is not in the table of `compileRegexp`, instead of guessing. */
export function parseRegexp(text: string): RegexpNode {
  const ignoresCase = text.startsWith(IGNORE_CASE);
  const source = ignoresCase ? text.slice(IGNORE_CASE.length) : text;
  let at = 0;

  /** What matches here, past which the reading goes on. */
  function take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found === null) return undefined;
    at += found[0].length;
    return found;
  }

  function alternatives(depth: number): RegexpNode {
    if (depth > MAX_DEPTH) throw new RegexpError(`groups lie more than ${MAX_DEPTH} deep`);
    const options = [sequence(depth)];
    while (source[at] === "|") {
      at += 1;
      options.push(sequence(depth));
    }
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { case: "any", options };
  }

  function sequence(depth: number): RegexpNode {
    const parts: RegexpNode[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") parts.push(repeated(atom(depth)));
    return { case: "all", parts };
  }

  function repeated(node: RegexpNode): RegexpNode {
    const times = quantifier();
    if (times === undefined) return node;
    // Lazy or greedy: the whole name matches or it does not.
    if (source[at] === "?") at += 1;
    if (node.case === "edge" || quantifier() !== undefined)
      throw new RegexpError("it repeats what cannot be");
    return { case: "times", node, ...times };
  }

  function quantifier(): { least: number; most?: number } | undefined {
    const [, least = "", range, most = ""] = take(TIMES) ?? [];
    if (least !== "") {
      const [first, last] = [Number(least), range === undefined ? Number(least) : Number(most)];
      if (first > MAX_TIMES || last > MAX_TIMES || (most !== "" && last < first)) {
        throw new RegexpError(
          `{${least}${range ?? ""}} repeats from little to much, at most ${MAX_TIMES} times`,
        );
      }
      return range !== undefined && most === "" ? { least: first } : { least: first, most: last };
    }
    const sign = source[at];
    if (sign !== "*" && sign !== "+" && sign !== "?") return undefined;
    at += 1;
    if (sign === "?") return { least: 0, most: 1 };
    return { least: sign === "+" ? 1 : 0 };
  }

  function atom(depth: number): RegexpNode {
    const sign = source.charAt(at);
    if (sign === "(") return group(depth);
    if (sign === "^" || sign === "$") {
      at += 1;
      return { case: "edge", at: sign === "^" ? "start" : "end" };
    }
    const written = (sign === "[" ? take(CLASS) : sign === "\\" ? take(ESCAPE) : undefined)?.[0];
    if (written !== undefined) return one(written);
    if ("[]{}\\*+?)".includes(sign)) throw new RegexpError(`\`${sign}\` is not understood there: ${ADVICE}`);
    at += 1;
    return one(sign === "." ? "[^\\n]" : sign.replace(/[/-]/, "\\$&"));
  }

  function group(depth: number): RegexpNode {
    take(GROUP);
    if (source[at] === "?") throw new RegexpError(`\`(?\` says what is not understood: ${ADVICE}`);
    const inner = alternatives(depth + 1);
    if (source[at] !== ")") throw new RegexpError("a group has no end");
    at += 1;
    return inner;
  }

  /** One character's pattern, which ECMAScript's expressions read as these do. */
  function one(written: string): RegexpNode {
    if (RANGE_OF_CLASSES.test(written)) throw new RegexpError(`${written} has a range of classes`);
    try {
      const pattern = new RegExp(`^${written}$`, ignoresCase ? "i" : "");
      return { case: "one", matches: (unit) => pattern.test(unit) };
    } catch (cause) {
      throw new RegexpError(`${written} is no class`, { cause });
    }
  }

  const whole = alternatives(0);
  if (at < source.length) throw new RegexpError("`)` ends no group");
  return whole;
}

const ADVICE = "write `\\` before it for the character itself";
