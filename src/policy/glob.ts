/**
 * Patterns of policies: an exact string, or a glob that must match the whole text.
 *
 * `*` stands for any run of characters without `/`, `**` for any run at all; `\` makes the next character
 * plain. There is nothing else: characters that other dialects give a meaning (`?`, `[`, `{`) must be escaped,
 * so that nobody believes in a rule that the service does not follow.
 */
export interface Glob {
  /** As written in the policy. */
  readonly text: string;
  matches(candidate: string): boolean;
}

/** Why a pattern is not one; `offset` counts UTF-16 units from its start. */
export class GlobError extends Error {
  override readonly name = "GlobError";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export type Token = { readonly plain: string } | "segment" | "any";

const MAX_PATTERN = 1024;
const MEANT_AS_WILDCARD = new Set(["?", "[", "]", "{", "}"]);

/** Throws `GlobError`. Matching takes time linear in the candidate for a given pattern: nothing backtracks. */
export function compileGlob(text: string): Glob {
  const tokens = tokenize(text);
  if (tokens.every((token) => typeof token === "object")) {
    const exact = tokens.map((token) => token.plain).join("");
    return { text, matches: (candidate) => candidate === exact };
  }
  const prefix = plainPrefix(tokens);
  const rest = tokens.slice(prefix.length);
  return {
    text,
    matches: (candidate) => candidate.startsWith(prefix) && simulate(rest, candidate, prefix.length),
  };
}

/** One token a UTF-16 unit, so that the positions between tokens are the states of the automaton. */
export function tokenize(text: string): Token[] {
  if (text === "") throw new GlobError("an empty pattern matches nothing that can be named", 0);
  if (text.length > MAX_PATTERN) throw new GlobError(`longer than ${MAX_PATTERN} characters`, MAX_PATTERN);
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charAt(at);
    if (unit === "\\") {
      at += 1;
      if (at === text.length) throw new GlobError("`\\` at the end escapes nothing", at - 1);
      tokens.push({ plain: text.charAt(at) });
    } else if (unit === "*") {
      const stars = /^\*+/.exec(text.slice(at))?.[0].length ?? 1;
      if (stars > 2) throw new GlobError("`***` has no meaning: `*` stops at `/`, `**` does not", at);
      tokens.push(stars === 2 ? "any" : "segment");
      at += stars - 1;
    } else if ((unit === "^" && at === 0) || (unit === "$" && at === text.length - 1)) {
      throw new GlobError(`\`${unit}\`: this is an anchored glob and no regular expression`, at);
    } else if (MEANT_AS_WILDCARD.has(unit)) {
      throw new GlobError(
        `\`${unit}\` is no wildcard here: write \`\\${unit}\` for the character itself`,
        at,
      );
    } else {
      tokens.push({ plain: unit });
    }
  }
  return tokens;
}

function plainPrefix(tokens: readonly Token[]): string {
  let prefix = "";
  for (const token of tokens) {
    if (typeof token !== "object") break;
    prefix += token.plain;
  }
  return prefix;
}

/** Runs the automaton over all states at once: at most (tokens + 1) steps for each unit of the candidate. */
function simulate(tokens: readonly Token[], candidate: string, from: number): boolean {
  let states = reach(new Uint8Array(tokens.length + 1), tokens, 0);
  const last = tokens.length - 1;
  for (let at = from; at < candidate.length; at += 1) {
    // Whatever follows: of a text of some megabytes nobody need see the rest.
    if (tokens[last] === "any" && states[last] === 1) return true;
    const unit = candidate.charAt(at);
    const next = new Uint8Array(tokens.length + 1);
    let alive = false;
    for (let state = 0; state < tokens.length; state += 1) {
      if (states[state] === 0) continue;
      const token = tokens[state];
      if (token === "any" || (token === "segment" && unit !== "/")) {
        reach(next, tokens, state);
        alive = true;
      } else if (typeof token === "object" && token.plain === unit) {
        reach(next, tokens, state + 1);
        alive = true;
      }
    }
    if (!alive) return false;
    states = next;
  }
  return states[tokens.length] === 1;
}

/** Marks a state and those behind it that need no character, because a star may stand for nothing. */
function reach(states: Uint8Array, tokens: readonly Token[], from: number): Uint8Array {
  for (let state = from; states[state] === 0; state += 1) {
    states[state] = 1;
    if (typeof tokens[state] !== "string") break;
  }
  return states;
}
