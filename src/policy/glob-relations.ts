import { type Glob, type Token, tokenize } from "./glob.ts";

/** How many states are looked at before the answer is that nobody knows. */
const MAX_STATES = 20_000;

/** Whether some text matches both. Looks at each pair of positions once. */
export function canMatchBoth(a: Glob, b: Glob): boolean {
  const [left, right] = [tokenize(a.text), tokenize(b.text)];
  const width = right.length + 1;
  const seen = new Set<number>();
  const pending: [number, number][] = [[0, 0]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [i, j] = next;
    if (i === left.length && j === right.length) return true;
    if (seen.has(i * width + j)) continue;
    seen.add(i * width + j);
    const [one, other] = [left[i], right[j]];
    // A star may stand for nothing, and for whatever the other side has next.
    if (typeof one === "string") pending.push([i + 1, j]);
    if (typeof other === "string") pending.push([i, j + 1]);
    if (one === undefined || other === undefined) continue;
    if (typeof one === "object" && typeof other === "object") {
      if (one.plain === other.plain) pending.push([i + 1, j + 1]);
    } else if (typeof other === "object" && takes(one, other.plain)) {
      pending.push([i, j + 1]);
    } else if (typeof one === "object" && takes(other, one.plain)) {
      pending.push([i + 1, j]);
    }
  }
  return false;
}

/** Whether some text matches one of these and one of those. */
export function overlap(some: readonly Glob[], others: readonly Glob[]): boolean {
  return some.some((one) => others.some((other) => canMatchBoth(one, other)));
}

/** Whether `wide` matches every text that `narrow` does. False where that would take too long to find out. */
export function covers(wide: Glob, narrow: Glob): boolean {
  const [outer, inner] = [tokenize(wide.text), tokenize(narrow.text)];
  const characters = charactersThatTell(outer, inner);
  const seen = new Set<string>();
  const start = { at: 0, states: reached(outer, [0]) };
  const pending = [start];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { at, states } = next;
    const key = `${at}:${states.join()}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > MAX_STATES) return false;
    const token = inner[at];
    if (token === undefined) {
      if (!states.includes(outer.length)) return false;
      continue;
    }
    if (typeof token === "string") pending.push({ at: at + 1, states });
    for (const character of characters) {
      if (!takes(token, character)) continue;
      const after = states.flatMap((state) => stepped(outer, state, character));
      pending.push({ at: typeof token === "string" ? at : at + 1, states: reached(outer, after) });
    }
  }
  return true;
}

function takes(token: Token, character: string): boolean {
  if (typeof token === "object") return token.plain === character;
  return token === "any" || character !== "/";
}

function stepped(tokens: readonly Token[], state: number, character: string): number[] {
  const token = tokens[state];
  if (token === undefined || !takes(token, character)) return [];
  return [typeof token === "object" ? state + 1 : state];
}

/** These states and those behind them that need no character, ascending. */
function reached(tokens: readonly Token[], states: readonly number[]): number[] {
  const all = new Set<number>();
  for (const state of states) {
    let at = state;
    all.add(at);
    while (typeof tokens[at] === "string") {
      at += 1;
      all.add(at);
    }
  }
  return [...all].sort((a, b) => a - b);
}

/** One character of each kind that the patterns tell apart: those they name, `/`, and one that neither names. */
function charactersThatTell(...patterns: readonly (readonly Token[])[]): string[] {
  const named = new Set(patterns.flat().flatMap((token) => (typeof token === "object" ? [token.plain] : [])));
  let other = 0;
  while (named.has(String.fromCharCode(other))) other += 1;
  return [...named.add("/"), String.fromCharCode(other)];
}
