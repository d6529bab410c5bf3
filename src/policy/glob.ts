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
/** How much of a text is looked at: whoever wrote it chose its length, and nobody who is meant has so long a name. */
export const MAX_NAME = 4096;
const MEANT_AS_WILDCARD = new Set(["?", "[", "]", "{", "}"]);

/**
 * Throws `GlobError`. Matching takes time linear in the candidate for a given pattern, as nothing backtracks, and looks at
 * `MAX_NAME` units of what the stars stand for: a candidate of which more would have to be seen does not match.
 */
export function compileGlob(text: string): Glob {
  const tokens = tokenize(text);
  const first = tokens.findIndex(isStar);
  if (first === -1) {
    const exact = plain(tokens);
    return { text, matches: (candidate) => candidate === exact };
  }
  const last = tokens.findLastIndex(isStar);
  const [prefix, suffix] = [plain(tokens.slice(0, first)), plain(tokens.slice(last + 1))];
  const between = Int32Array.from(tokens.slice(first, last + 1), codeOf);
  return {
    text,
    matches: (candidate) =>
      candidate.length >= prefix.length + suffix.length &&
      candidate.startsWith(prefix) &&
      candidate.endsWith(suffix) &&
      simulate(between, candidate, prefix.length, candidate.length - suffix.length),
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

function isStar(token: Token | undefined): boolean {
  return typeof token === "string";
}

function plain(tokens: readonly Token[]): string {
  return tokens.map((token) => (typeof token === "object" ? token.plain : "")).join("");
}

const SEGMENT = -1;
const ANY = -2;
const SLASH = 0x2f;

/** A token as a number: the character's code, or what the star is. */
function codeOf(token: Token): number {
  if (typeof token === "object") return token.plain.charCodeAt(0);
  return token === "any" ? ANY : SEGMENT;
}

/**
 * Runs the automaton over all states at once, and for each unit looks only at those that it can be in, of which there are few. They
 * are listed in rising order, so that what is not beyond the last one is there already. Stars stand at both ends and never side by side.
 */
function simulate(tokens: Int32Array, candidate: string, from: number, end: number): boolean {
  const done = tokens.length;
  const takesAnyEnd = tokens[done - 1] === ANY;
  let states = new Uint16Array(done + 1);
  let next = new Uint16Array(done + 1);
  // Before the first star, and behind it: a star may stand for nothing.
  states[1] = 1;
  let count = 2;
  for (let at = from; at < end; at += 1) {
    // Whatever follows: of a text of some megabytes nobody need see the rest.
    if (takesAnyEnd && states[count - 1] === done) return true;
    if (at - from === MAX_NAME || count === 0) return false;
    const unit = candidate.charCodeAt(at);
    let reached = 0;
    let last = -1;
    for (let index = 0; index < count; index += 1) {
      const state = states[index] ?? done;
      const token = tokens[state];
      const stays = token === ANY || (token === SEGMENT && unit !== SLASH);
      if (!stays && token !== unit) continue;
      const to = stays ? state : state + 1;
      const behind = (tokens[to] ?? 0) < 0 ? to + 1 : to;
      for (let one = Math.max(to, last + 1); one <= behind; one += 1) {
        next[reached] = one;
        reached += 1;
        last = one;
      }
    }
    [states, next] = [next, states];
    count = reached;
  }
  return count > 0 && states[count - 1] === done;
}
